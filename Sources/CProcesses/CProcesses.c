#define _GNU_SOURCE
#include "CProcesses.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int hl_spawn_add_chdir(posix_spawn_file_actions_t *actions, const char *path) {
  return posix_spawn_file_actions_addchdir_np(actions, path);
}

int hl_spawn_add_closefrom(posix_spawn_file_actions_t *actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int hl_spawn_usual_signals(posix_spawnattr_t *attributes, short flags) {
  static const int usual[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT, SIGWINCH, SIGCHLD};
  sigset_t signals;
  sigemptyset(&signals);
  int code = posix_spawnattr_setsigmask(attributes, &signals);
  for (unsigned i = 0; i < sizeof usual / sizeof *usual; i++) sigaddset(&signals, usual[i]);
  if (code == 0) code = posix_spawnattr_setsigdefault(attributes, &signals);
  if (code == 0) code = posix_spawnattr_setflags(attributes, flags | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  return code;
}

typedef int spawner(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[], char *const[]);

static int spawn_patiently(spawner *spawn, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const words[], char *const environment[]) {
  const struct timespec pause = {.tv_nsec = 10000000};
  for (int tries = 0;; tries++) {
    int code = spawn(pid, path, actions, attributes, words, environment);
    if (code != ETXTBSY || tries == 100) return code;
    nanosleep(&pause, NULL);
  }
}

int hl_spawn_at(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                char *const words[], char *const environment[]) {
  return spawn_patiently(posix_spawn, pid, path, actions, attributes, words, environment);
}

int hl_spawn(pid_t *pid, const posix_spawn_file_actions_t *actions, char *const words[]) {
  posix_spawnattr_t attributes;
  int code = posix_spawnattr_init(&attributes);
  if (code != 0) return code;
  code = hl_spawn_usual_signals(&attributes, 0);
  if (code == 0) code = spawn_patiently(posix_spawnp, pid, words[0], actions, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  return code;
}

int hl_closing_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int hl_closing_sockets(int ends[2]) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends); }

int hl_send_with_descriptors(int socket, const void *bytes, long count, const int *descriptors, int descriptor_count) {
  enum { MOST = 16 };
  if (descriptor_count > MOST) {
    errno = EINVAL;
    return -1;
  }
  union {
    char bytes[CMSG_SPACE(sizeof(int) * MOST)];
    struct cmsghdr aligned;
  } control;
  const char *next = bytes;
  while (count > 0) {
    struct iovec part = {(void *)next, (size_t)count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > 0) {
      size_t size = sizeof(int) * (size_t)descriptor_count;
      message.msg_control = &control;
      message.msg_controllen = CMSG_SPACE(size);
      struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
      *rights = (struct cmsghdr){.cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
      memcpy(CMSG_DATA(rights), descriptors, size);
    }
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return -1;
    descriptor_count = 0;
    next += sent;
    count -= sent;
  }
  return 0;
}

int hl_available_processors(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

int hl_sync_all(int descriptor) { return syncfs(descriptor); }

int hl_start_writing(int descriptor) { return sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE); }
