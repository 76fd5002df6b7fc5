// heirloom-warden: keeps one command of a stage. It shows it only what it is told to, keeps secrets out of its log, ends all that the
// command has started when the command ends, and ends the command when its runner is gone. Static and small, for it starts with every stage.
//
//   heirloom-warden [--lifeline FD] [--chdir DIR] [--mask NAME]… [--confine [--share-pid] [--bwrap PATH] VIEW…] --program PATH -- WORDS…
//
// VIEW is in bubblewrap's words: --ro-bind SRC DST, --bind SRC DST, --dev-bind SRC DST, --tmpfs DST, --symlink TEXT DST, --proc DST, parents
// before what is in them; SRC is a real path. Signals for the command come to the whole process group, which the warden leads; it lets
// those pass that ask to stop. Its exit status, or the signal it dies of, is the command's; 125 when it cannot do what it is told.
#define _GNU_SOURCE
#include "warden.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT = 125, NOT_FOUND = 127, GRACE_MILLISECONDS = 10000 };

static const int stops[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

_Noreturn void refuse(const char *what, const char *name) {
  dprintf(2, "heirloom-warden: %s %s: %s\n", what, name, strerror(errno));
  _exit(CANNOT);
}

// MARK: - What it is told

static int number(const char *text) { return atoi(text); }

static struct order read_order(int count, char **arguments) {
  struct order order = {.lifeline = -1};
  order.views = calloc((size_t)count + 1, sizeof *order.views);
  order.secrets = calloc((size_t)count + 1, sizeof *order.secrets);
  if (!order.views || !order.secrets) refuse("cannot hold", "the order");
  static const struct { const char *word; enum view_kind kind; int operands; } kinds[] = {
    {"--ro-bind", VIEW_READ_ONLY, 2}, {"--bind", VIEW_WRITABLE, 2}, {"--dev-bind", VIEW_DEVICES, 2},
    {"--tmpfs", VIEW_EMPTY, 1}, {"--symlink", VIEW_LINK, 2}, {"--proc", VIEW_PROCESSES, 1}};
  for (int place = 1; place < count; place++) {
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
    if (strcmp(word, "--lifeline") == 0) order.lifeline = number(operand);
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
  if (!order.words || (!order.words[0] && !order.only_checks)) { errno = EINVAL; refuse("cannot find", "the command"); }
  return order;
}

// MARK: - The command

/// Signals as a program expects to find them.
static void release_signals(void) {
  for (int number = 1; number < 32; number++)
    if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const char *directory, const char *program, char **words) {
  if (directory && chdir(directory) != 0) refuse("cannot enter", directory);
  release_signals();
  execv(program, words);
  dprintf(2, "heirloom-warden: cannot start %s: %s\n", program, strerror(errno));
  _exit(NOT_FOUND);
}

/// A stop that came when the command was not there yet is handed on.
static void hand_on_stop(pid_t command) {
  sigset_t waiting;
  if (sigpending(&waiting) == 0 && sigismember(&waiting, SIGTERM)) kill(command, SIGTERM);
}

/// The first process of a process namespace: starts the command, reaps what is left to it, and tells how the command ended. What the
/// command leaves behind ends with it.
static _Noreturn void be_first(const struct order *order, int report) {
  pid_t command = vfork();
  if (command < 0) refuse("cannot start", order->program);
  if (command == 0) become(order->directory, order->program, order->words);
  hand_on_stop(command);
  for (;;) {
    int status;
    pid_t ended = waitpid(-1, &status, 0);
    if (ended < 0 && errno == EINTR) continue;
    if (ended != command && ended > 0) continue;
    if (ended == command && write(report, &status, sizeof status) < 0) _exit(CANNOT);
    _exit(0);
  }
}

/// The same view by bubblewrap, which also is the first process of its namespace.
static _Noreturn void become_bubblewrap(const struct order *order) {
  char **words = calloc((size_t)order->view_count * 3 + 32, sizeof *words);
  if (!words) refuse("cannot hold", "the view");
  static const char *const names[] = {"--ro-bind", "--bind", "--dev-bind", "--tmpfs", "--symlink", "--proc"};
  int count = 0;
  words[count++] = (char *)order->bubblewrap;
  words[count++] = "--die-with-parent";
  words[count++] = "--unshare-pid";
  for (int place = 0; place < order->view_count; place++) {
    const struct view *view = &order->views[place];
    words[count++] = (char *)names[view->kind];
    if (view->source != view->place) words[count++] = (char *)view->source;
    words[count++] = (char *)view->place;
  }
  if (order->directory) {
    words[count++] = "--chdir";
    words[count++] = (char *)order->directory;
  }
  // Bubblewrap ends at the signals that the command is to hear, so it ignores them, and a shell cannot unlearn that: this program can.
  words[count++] = "--ro-bind";
  words[count++] = "/proc/self/exe";
  char *self = realpath("/proc/self/exe", NULL);
  words[count - 1] = self;
  words[count++] = "/.warden";
  words[count++] = "--";
  words[count++] = "/.warden";
  words[count++] = "--release";
  words[count++] = (char *)order->program;
  size_t length = 0;
  while (order->words[length]) length++;
  char **all = realloc(words, sizeof *words * ((size_t)count + length + 1));
  if (!all) refuse("cannot hold", "the words");
  memcpy(all + count, order->words, sizeof *all * (length + 1));
  for (size_t place = 0; place < sizeof stops / sizeof *stops; place++) signal(stops[place], SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execv(order->bubblewrap, all);
  refuse("cannot start", order->bubblewrap);
}

static pid_t clone_with(unsigned long flags) { return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0); }

/// Starts the one child: the command, the first process of its namespace, or bubblewrap. `report` is where a first process writes.
static pid_t start(const struct order *order, int output, int report) {
  uid_t user = geteuid();
  gid_t group = getegid();
  bool is_ours = order->confines && !order->bubblewrap;
  // Root makes its namespaces without another user, or files of other users would be closed to it, if it may.
  bool with_user = is_ours && user != 0;
  pid_t child = is_ours ? clone_with(confinement_flags(order, with_user)) : vfork();
  if (child < 0 && is_ours && !with_user && errno == EPERM) {
    with_user = true;
    child = clone_with(confinement_flags(order, with_user));
  }
  if (child < 0) refuse("cannot start", is_ours ? "in namespaces of its own" : order->program);
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (output >= 0) {
    dup2(output, 1);
    dup2(output, 2);
  }
  if (order->confines && order->bubblewrap) become_bubblewrap(order);
  if (is_ours) confine(order, with_user, user, group);
  if (order->only_checks) _exit(0);
  if (is_ours && !order->shares_processes) be_first(order, report);
  become(order->directory, order->program, order->words);
}

// MARK: - Keeping

/// Kills the children of this process, until those that they leave to it are gone as well. Without process namespaces only: what has left
/// the group and its parents is still a child of ours then.
static void end_children(void) {
  for (int round = 0; round < 1000; round++) {
    char text[65536];
    int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    if (count > 0) {
      text[count] = 0;
      for (char *rest = NULL, *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) kill(number(word), SIGKILL);
    }
    int status;
    pid_t ended = waitpid(-1, &status, count > 0 ? 0 : WNOHANG);
    if (ended < 0 && errno == ECHILD) return;
    if (count <= 0 && ended == 0) return;
  }
}

/// Ends as the command did.
static _Noreturn void end_as(int status) {
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal(WTERMSIG(status), SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, WTERMSIG(status));
  sigprocmask(SIG_SETMASK, &all, NULL);
  raise(WTERMSIG(status));
  _exit(128 + WTERMSIG(status));
}

/// Reaps; true when the child itself has ended, with its status.
static bool has_ended(pid_t child, int *status) {
  for (;;) {
    int other;
    pid_t ended = waitpid(-1, &other, WNOHANG);
    if (ended == child) {
      *status = other;
      return true;
    }
    if (ended <= 0) return false;
  }
}

int main(int count, char **arguments) {
  if (count > 3 && strcmp(arguments[1], "--release") == 0) become(NULL, arguments[2], arguments + 3);
  sigset_t kept;
  sigemptyset(&kept);
  for (size_t place = 0; place < sizeof stops / sizeof *stops; place++) sigaddset(&kept, stops[place]);
  sigaddset(&kept, SIGCHLD);
  sigprocmask(SIG_BLOCK, &kept, NULL);
  struct order order = read_order(count, arguments);
  bool has_first = order.confines && !order.shares_processes && !order.bubblewrap;
  if (!has_first) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

  int log[2] = {-1, -1}, report[2] = {-1, -1};
  struct mask *mask = NULL;
  if (order.secret_count > 0) {
    mask = mask_make(order.secrets, order.secret_count);
    if (pipe2(log, O_CLOEXEC) != 0) refuse("cannot make", "a pipe");
  }
  if (has_first && pipe2(report, O_CLOEXEC) != 0) refuse("cannot make", "a pipe");
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  int ends = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (ends < 0) refuse("cannot wait for", "children");
  pid_t child = start(&order, log[1], report[1]);
  hand_on_stop(child);
  if (report[1] >= 0) close(report[1]);
  if (log[1] >= 0) close(log[1]);

  struct pollfd sources[] = {{ends, POLLIN, 0}, {order.lifeline, 0, 0}, {log[0], POLLIN, 0}};
  int patience = -1, status = 0;
  for (;;) {
    int ready = poll(sources, 3, patience);
    if (ready < 0 && errno != EINTR) break;
    if (ready == 0) {
      // The runner has been gone for long enough.
      kill(child, SIGKILL);
      patience = -1;
      continue;
    }
    if (sources[1].revents & (POLLHUP | POLLERR)) {
      sources[1].fd = -1;
      kill(-getpid(), SIGTERM);
      patience = GRACE_MILLISECONDS;
    }
    if (sources[2].revents && !mask_pump(mask, log[0], 1)) sources[2].fd = -1;
    if (sources[0].revents) {
      struct signalfd_siginfo info;
      while (read(ends, &info, sizeof info) > 0) {}
      if (has_ended(child, &status)) break;
    }
  }
  if (!has_first) end_children();
  if (mask) while (mask_pump(mask, log[0], 1)) {}
  int said;
  if (has_first && read(report[0], &said, sizeof said) == sizeof said) status = said;
  end_as(status);
}
