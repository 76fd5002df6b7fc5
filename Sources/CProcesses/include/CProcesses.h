// What the runner needs of Linux and glibc that Swift's Glibc module leaves out, for it is built without _GNU_SOURCE.
#ifndef HEIRLOOM_CPROCESSES_H
#define HEIRLOOM_CPROCESSES_H

#include <signal.h>
#include <spawn.h>

// posix_spawn_file_actions_addchdir_np (glibc 2.29, musl 1.1.24): the child starts in that directory.
int hl_spawn_add_chdir(posix_spawn_file_actions_t *actions, const char *path);

// posix_spawn_file_actions_addclosefrom_np (glibc 2.34): the child has none from that number on, not even those of libraries, some of
// which do not close on exec.
int hl_spawn_add_closefrom(posix_spawn_file_actions_t *actions, int first);

// The child finds signals as a program expects to: none blocked, and the default for each that this process may treat in its own way.
// `flags` are further flags of the attributes (POSIX_SPAWN_SETPGROUP).
int hl_spawn_usual_signals(posix_spawnattr_t *attributes, short flags);

// posix_spawn. A program that has just been written is "busy" while a child that was on its way to its own program in that moment still
// has the descriptor it was written through: waited for, a second at most.
int hl_spawn_at(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                char *const words[], char *const environment[]);

// The same with words[0], looked for in PATH, in this process's environment and group, with such signals.
int hl_spawn(pid_t *pid, const posix_spawn_file_actions_t *actions, char *const words[]);

// pipe2 with O_CLOEXEC: no child started meanwhile inherits an end.
int hl_closing_pipe(int ends[2]);

// socketpair of streams with SOCK_CLOEXEC.
int hl_closing_sockets(int ends[2]);

// Sends `bytes` and, with the first of them, descriptors (16 at most). 0, or -1 with errno; no SIGPIPE.
int hl_send_with_descriptors(int socket, const void *bytes, long count, const int *descriptors, int descriptor_count);

// How many processors this process may run on, or 0.
int hl_available_processors(void);

// syncfs(2): everything written to the file system of an open file, on the disk.
int hl_sync_all(int descriptor);

// sync_file_range(2): writing a file's bytes begins, and is not waited for.
int hl_start_writing(int descriptor);

#endif
