#ifndef HEIRLOOM_WARDEN_H
#define HEIRLOOM_WARDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/// One thing a confined command sees, in bubblewrap's words.
enum view_kind { VIEW_READ_ONLY, VIEW_WRITABLE, VIEW_DEVICES, VIEW_EMPTY, VIEW_LINK, VIEW_PROCESSES };

struct view {
  enum view_kind kind;
  /// Real path of what is shown, or the text of a link.
  const char *source;
  const char *place;
};

struct order {
  /// Read end of the pipe that ends with the runner; -1 when there is none.
  int lifeline;
  const char *directory;
  /// What `words[0]` was found to be.
  const char *program;
  char **words;
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

/// Says on standard error what could not be done, and ends this process.
_Noreturn void refuse(const char *what, const char *name);

/// Namespaces for a child that is to be confined: flags for clone.
unsigned long confinement_flags(const struct order *order, bool with_user);

/// In the child: maps the user, builds the view, gives up what could undo it.
void confine(const struct order *order, bool with_user, uid_t user, gid_t group);

/// Copies what comes through `from` to `to`, secrets masked, one read at a time.
struct mask;
struct mask *mask_make(char **names, int count);
/// False at the end of what comes.
bool mask_pump(struct mask *mask, int from, int to);

#endif
