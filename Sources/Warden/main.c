// heirloom-warden: keeps one command of a stage. It shows it only what it is told to, keeps secrets out of its log, ends all that the
// command has started when the command ends, and ends the command when its runner is gone. Static and small, for it starts with every stage.
//
//   heirloom-warden [--lifeline FD] [--chdir DIR] [--mask NAME]… [--confine [--share-pid] [--bwrap PATH] VIEW…] --program PATH -- WORDS…
//   heirloom-warden --serve FD [--confine [--share-pid] VIEW…] --
//
// VIEW is in bubblewrap's words: --ro-bind SRC DST, --bind SRC DST, --dev-bind SRC DST, --tmpfs DST, --symlink TEXT DST, --proc DST,
// --dir DST, --remount-ro DST, parents before what is in them; SRC is a real path. Signals for the command come to the whole process group,
// which the warden leads; it lets those pass that ask to stop. Its exit status, or the signal it dies of, is the command's; 125 when it
// cannot do what it is told. The second form does the same again and again, for orders that come through a socket (serve.c).
#define _GNU_SOURCE
#include "warden.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

_Noreturn void refuse(const char *what, const char *name) {
  dprintf(2, "heirloom-warden: %s %s: %s\n", what, name, strerror(errno));
  _exit(CANNOT);
}

// MARK: - What it is told

struct order read_order(int count, char **arguments, char **environment) {
  struct order order = {.lifeline = -1, .report = -1, .environment = environment};
  order.views = calloc((size_t)count + 1, sizeof *order.views);
  order.secrets = calloc((size_t)count + 1, sizeof *order.secrets);
  if (!order.views || !order.secrets) refuse("cannot hold", "the order");
  static const struct { const char *word; enum view_kind kind; int operands; } kinds[] = {
    {"--ro-bind", VIEW_READ_ONLY, 2}, {"--bind", VIEW_WRITABLE, 2}, {"--dev-bind", VIEW_DEVICES, 2}, {"--tmpfs", VIEW_EMPTY, 1},
    {"--symlink", VIEW_LINK, 2}, {"--proc", VIEW_PROCESSES, 1}, {"--dir", VIEW_DIRECTORY, 1}, {"--remount-ro", VIEW_SEALED, 1}};
  for (int place = 0; place < count; place++) {
    const char *word = arguments[place];
    if (strcmp(word, "--") == 0) {
      order.words = arguments + place + 1;
      break;
    }
    if (strcmp(word, "--confine") == 0) { order.confines = true; continue; }
    if (strcmp(word, "--share-pid") == 0) { order.shares_processes = true; continue; }
    if (strcmp(word, "--check") == 0) { order.only_checks = true; continue; }
    if (place + 1 >= count) { errno = EINVAL; refuse("cannot read", word); }
    const char *operand = arguments[++place];
    if (strcmp(word, "--lifeline") == 0) order.lifeline = atoi(operand);
    else if (strcmp(word, "--chdir") == 0) order.directory = operand;
    else if (strcmp(word, "--program") == 0) order.program = operand;
    else if (strcmp(word, "--bwrap") == 0) order.bubblewrap = operand;
    else if (strcmp(word, "--mask") == 0) order.secrets[order.secret_count++] = (char *)operand;
    else {
      size_t kind = 0;
      while (kind < sizeof kinds / sizeof *kinds && strcmp(word, kinds[kind].word) != 0) kind++;
      if (kind == sizeof kinds / sizeof *kinds || (kinds[kind].operands == 2 && place + 1 >= count)) { errno = EINVAL; refuse("cannot read", word); }
      struct view view = {kinds[kind].kind, operand, operand};
      if (kinds[kind].operands == 2) view.place = arguments[++place];
      order.views[order.view_count++] = view;
    }
  }
  if (!order.words) { errno = EINVAL; refuse("cannot find", "the command"); }
  return order;
}

// MARK: - Namespaces

/// Makes namespaces for this process, or for its child where processes are among them. Root does without another user if it may, or files
/// of other users would be closed to it.
static pid_t make_namespaces(unsigned long flags, bool in_child) {
  uid_t user = geteuid();
  gid_t group = getegid();
  for (bool with_user = user != 0;; with_user = true) {
    unsigned long all = flags | (with_user ? CLONE_NEWUSER : 0UL);
    pid_t child = (pid_t)(in_child ? syscall(SYS_clone, all | SIGCHLD, 0, 0, 0, 0) : unshare((int)all));
    if (child < 0 && !with_user && errno == EPERM) continue;
    if (child < 0) refuse("cannot start", "in namespaces of its own");
    if (child > 0) return child;
    if (with_user) map_user(user, group);
    return 0;
  }
}

static void build_view(const struct order *order) {
  enter_empty_root();
  show_views(order);
  seal_root();
}

/// Keeps the command where this process is, in another view if it has one.
static int keep_here(const struct order *order) {
  if (order->confines && !order->bubblewrap) {
    build_view(order);
    leave_old_root();
  }
  if (order->only_checks) _exit(0);
  return keep(order);
}

/// Keeps the command from the first process of a namespace.
static int keep_in_child(struct order *order) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) refuse("cannot make", "a pipe");
  pid_t child = make_namespaces(CLONE_NEWNS | CLONE_NEWPID, true);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    order->report = report[1];
    end_as(keep_here(order));
  }
  close(report[1]);
  hand_on_stop(child);
  int status = 0, said;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return read(report[0], &said, sizeof said) == sizeof said ? said : status;
}

int main(int count, char **arguments) {
  if (count > 3 && strcmp(arguments[1], "--release") == 0) become(NULL, arguments[2], arguments + 3, environ);
  hold_signals();
  bool serves = count > 2 && strcmp(arguments[1], "--serve") == 0;
  int first = serves ? 3 : 1;
  struct order order = read_order(count - first, arguments + first, environ);
  bool is_ours = order.confines && !order.bubblewrap;
  if (serves) {
    if (is_ours) {
      make_namespaces(CLONE_NEWNS, false);
      build_view(&order);
    }
    serve(atoi(arguments[2]), &order);
  }
  if (!order.words[0] && !order.only_checks) { errno = EINVAL; refuse("cannot find", "the command"); }
  if (is_ours && !order.shares_processes) end_as(keep_in_child(&order));
  if (is_ours) make_namespaces(CLONE_NEWNS, false);
  end_as(keep_here(&order));
}
