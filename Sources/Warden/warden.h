#ifndef HEIRLOOM_WARDEN_H
#define HEIRLOOM_WARDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/// One thing a confined command sees, in bubblewrap's words.
enum view_kind { VIEW_READ_ONLY, VIEW_WRITABLE, VIEW_DEVICES, VIEW_EMPTY, VIEW_LINK, VIEW_PROCESSES, VIEW_DIRECTORY, VIEW_SEALED };

struct view {
  enum view_kind kind;
  /// Real path of what is shown, or the text of a link.
  const char *source;
  const char *place;
};

struct order {
  /// Read end of the pipe that ends with the runner; -1 when there is none.
  int lifeline;
  /// Where the command's wait status is written as it ends; -1 when nobody asks.
  int report;
  const char *directory;
  /// What `words[0]` was found to be.
  const char *program;
  char **words;
  char **environment;
  bool confines;
  /// No process namespace: the kernel would not let us mount its /proc.
  bool shares_processes;
  /// Set up and return, to see whether it can be done.
  bool only_checks;
  const char *bubblewrap;
  struct view *views;
  int view_count;
  /// Names of variables whose values never reach the log.
  char **secrets;
  int secret_count;
};

enum { CANNOT = 125, NOT_FOUND = 127 };

/// Says on standard error what could not be done, and ends this process.
_Noreturn void refuse(const char *what, const char *name);

struct order read_order(int count, char **arguments, char **environment);

// MARK: - The view

/// The same user inside a new user namespace as outside.
void map_user(uid_t user, gid_t group);
/// An empty file system at the root of this mount namespace, which has to be ours. The old one is the working directory, and the views'
/// sources are found from it.
void enter_empty_root(void);
void show_views(const struct order *order);
/// Nothing can be made in the root any more, as opposed to what is mounted in it.
void seal_root(void);
/// Gives up the old root, and what could undo the rest.
void leave_old_root(void);

// MARK: - Keeping

/// Signals that ask to stop, and the news of children, wait until they are looked for.
void hold_signals(void);
/// Hands a stop on that came when the child was not there yet.
void hand_on_stop(pid_t child);
/// Starts the command, waits for its end, ends what it leaves behind, and hands its wait status on.
int keep(const struct order *order);
/// Ends this process as another has ended.
_Noreturn void end_as(int status);
_Noreturn void become(const char *directory, const char *program, char **words, char **environment);

/// Starts what the runner on the other end of a socket asks for, until it is gone.
_Noreturn void serve(int socket, const struct order *base);

// MARK: - Secrets

/// Copies what comes through `from` to `to`, secrets masked, one read at a time.
struct mask;
struct mask *mask_make(char **names, int count, char **environment);
/// False at the end of what comes.
bool mask_pump(struct mask *mask, int from, int to);

#endif
