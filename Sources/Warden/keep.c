// Starts the command and keeps it: until its end, its log and its runner are watched; then what it has started is ended.
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MILLISECONDS = 10000 };

static const int stops[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

// MARK: - Signals

void hold_signals(void) {
  sigset_t kept;
  sigemptyset(&kept);
  for (size_t place = 0; place < sizeof stops / sizeof *stops; place++) sigaddset(&kept, stops[place]);
  sigaddset(&kept, SIGCHLD);
  sigprocmask(SIG_BLOCK, &kept, NULL);
}

/// Signals as a program expects to find them.
static void release_signals(void) {
  for (int number = 1; number < 32; number++)
    if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

void hand_on_stop(pid_t child) {
  sigset_t waiting;
  if (sigpending(&waiting) == 0 && sigismember(&waiting, SIGTERM)) kill(child, SIGTERM);
}

// MARK: - The command

_Noreturn void become(const char *directory, const char *program, char **words, char **environment) {
  if (directory && chdir(directory) != 0) refuse("cannot enter", directory);
  release_signals();
  // A program that has just been written is busy while a process that was being started then still has its descriptor: a second at most.
  const struct timespec pause = {.tv_nsec = 10000000};
  for (int tries = 0; execve(program, words, environment) != 0 && errno == ETXTBSY && tries < 100; tries++) nanosleep(&pause, NULL);
  dprintf(2, "heirloom-warden: cannot start %s: %s\n", program, strerror(errno));
  _exit(NOT_FOUND);
}

/// The same view by bubblewrap, which also is the first process of its namespace.
static _Noreturn void become_bubblewrap(const struct order *order) {
  char **words = calloc((size_t)order->view_count * 3 + 32, sizeof *words);
  if (!words) refuse("cannot hold", "the view");
  static const char *const names[] = {"--ro-bind", "--bind", "--dev-bind", "--tmpfs", "--symlink", "--proc", "--dir", "--remount-ro"};
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
  words[count++] = realpath("/proc/self/exe", NULL);
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
  execve(order->bubblewrap, all, order->environment);
  refuse("cannot start", order->bubblewrap);
}

static pid_t start(const struct order *order, int output, bool is_first) {
  pid_t child = vfork();
  if (child < 0) refuse("cannot start", order->program);
  if (child > 0) return child;
  if (!is_first) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (output >= 0) {
    dup2(output, 1);
    dup2(output, 2);
  }
  if (order->bubblewrap) become_bubblewrap(order);
  become(order->directory, order->program, order->words, order->environment);
}

// MARK: - Its end

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
      for (char *rest = NULL, *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) kill(atoi(word), SIGKILL);
    }
    int status;
    pid_t ended = waitpid(-1, &status, count > 0 ? 0 : WNOHANG);
    if (ended < 0 && errno == ECHILD) return;
    if (count <= 0 && ended == 0) return;
  }
}

/// Everything in our process namespace, which has this process as its first.
static void end_namespace(void) {
  if (kill(-1, SIGKILL) != 0) return;
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {}
}

_Noreturn void end_as(int status) {
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal(WTERMSIG(status), SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, WTERMSIG(status));
  sigprocmask(SIG_SETMASK, &all, NULL);
  raise(WTERMSIG(status));
  // The first process of a namespace does not die of its own signals.
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

int keep(const struct order *order) {
  bool is_first = getpid() == 1;
  if (!is_first) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int log[2] = {-1, -1};
  struct mask *mask = NULL;
  if (order->secret_count > 0) {
    mask = mask_make(order->secrets, order->secret_count, order->environment);
    if (pipe2(log, O_CLOEXEC) != 0) refuse("cannot make", "a pipe");
  }
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  int ends = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (ends < 0) refuse("cannot wait for", "children");
  pid_t child = start(order, log[1], is_first);
  hand_on_stop(child);
  if (log[1] >= 0) close(log[1]);

  struct pollfd sources[] = {{ends, POLLIN, 0}, {order->lifeline, 0, 0}, {log[0], POLLIN, 0}};
  int patience = -1, status = 0;
  for (;;) {
    int ready = poll(sources, 3, patience);
    if (ready < 0 && errno != EINTR) refuse("cannot wait for", order->program);
    if (ready == 0) {
      // The runner has been gone for long enough.
      kill(child, SIGKILL);
      patience = -1;
      continue;
    }
    if (sources[1].revents & (POLLHUP | POLLERR)) {
      sources[1].fd = -1;
      kill(0, SIGTERM);
      patience = GRACE_MILLISECONDS;
    }
    if (sources[2].revents && !mask_pump(mask, log[0], 1)) sources[2].fd = -1;
    if (sources[0].revents) {
      struct signalfd_siginfo info;
      while (read(ends, &info, sizeof info) > 0) {}
      if (has_ended(child, &status)) break;
    }
  }
  if (is_first) end_namespace(); else end_children();
  if (mask) while (mask_pump(mask, log[0], 1)) {}
  if (order->report >= 0 && write(order->report, &status, sizeof status) != sizeof status) _exit(CANNOT);
  return status;
}
