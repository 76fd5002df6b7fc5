// One warden for all commands of a run: it has made the part of the view that they share, and forks for each, which costs a fraction of
// starting a program and mounting everything anew. What it forks is the runner's child, so the runner waits for it and signals it as for
// any other, and nothing hangs on this process: when it is gone, the runner starts commands without it.
#define _GNU_SOURCE
#include "warden.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 16, MOST_BYTES = 1 << 26, ABOVE = 64 };

/// What comes first of every order, with the descriptors. Then come the words and the variables, each with a zero at its end. The answer
/// is the number of the process, or that of an error below zero.
struct header {
  uint32_t bytes;
  uint32_t word_count;
  uint32_t variable_count;
  uint32_t descriptor_count;
  /// The number that each gets in the command; the one for the report comes last.
  int32_t numbers[MOST_DESCRIPTORS];
};

static bool read_whole(int socket, void *place, size_t count) {
  for (char *next = place; count > 0;) {
    ssize_t got = read(socket, next, count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    count -= (size_t)got;
  }
  return true;
}

/// False when the runner is gone. `descriptors` has room for the most there may be.
static bool receive(int socket, struct header *header, int *descriptors) {
  union {
    char bytes[CMSG_SPACE(sizeof(int) * MOST_DESCRIPTORS)];
    struct cmsghdr aligned;
  } control;
  struct iovec part = {header, sizeof *header};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t got;
  do got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
  while (got < 0 && errno == EINTR);
  if (got != sizeof *header) return false;
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  size_t count = rights && rights->cmsg_type == SCM_RIGHTS ? (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
  if (count != header->descriptor_count || header->bytes > MOST_BYTES) return false;
  if (count > 0) memcpy(descriptors, CMSG_DATA(rights), count * sizeof(int));
  return true;
}

/// The strings that lie one after the other, as `execve` wants them; NULL when they end too early.
static char **list(char **next, const char *end, uint32_t count) {
  char **strings = calloc((size_t)count + 1, sizeof *strings);
  for (uint32_t place = 0; strings && place < count; place++) {
    char *zero = memchr(*next, 0, (size_t)(end - *next));
    if (!zero) return NULL;
    strings[place] = *next;
    *next = zero + 1;
  }
  return strings;
}

/// Puts descriptors where the command wants them, by way of numbers that none of them has.
static int place_descriptors(const struct header *header, const int *descriptors) {
  int count = (int)header->descriptor_count, report = -1;
  for (int place = 0; place < count; place++)
    if (fcntl(descriptors[place], F_DUPFD_CLOEXEC, ABOVE + place) != ABOVE + place) refuse("cannot place", "a descriptor");
  for (int place = 0; place < count; place++) {
    if (header->numbers[place] < 0) report = ABOVE + place;
    else if (dup2(ABOVE + place, header->numbers[place]) < 0) refuse("cannot place", "a descriptor");
  }
  for (int place = 0; place < count; place++) {
    bool is_wanted = false;
    for (int other = 0; other < count; other++) is_wanted |= header->numbers[other] == descriptors[place];
    if (!is_wanted) close(descriptors[place]);
    if (ABOVE + place != report) close(ABOVE + place);
  }
  return report;
}

static _Noreturn void carry_out(int socket, const struct header *header, const int *descriptors, char *text) {
  setpgid(0, 0);
  prctl(PR_SET_NAME, "heirloom-warden");
  close(socket);
  int report = place_descriptors(header, descriptors);
  char *next = text;
  const char *end = text + header->bytes;
  char **words = list(&next, end, header->word_count);
  char **variables = words ? list(&next, end, header->variable_count) : NULL;
  if (!variables) {
    errno = EINVAL;
    refuse("cannot read", "the order");
  }
  struct order order = read_order((int)header->word_count, words, variables);
  order.report = report;
  if (order.confines) {
    show_views(&order);
    leave_old_root();
  }
  end_as(keep(&order));
}

_Noreturn void serve(int socket, const struct order *base) {
  unsigned long flags = CLONE_PARENT | SIGCHLD;
  if (base->confines) flags |= CLONE_NEWNS | (base->shares_processes ? 0UL : CLONE_NEWPID);
  prctl(PR_SET_NAME, "warden-server");
  for (;;) {
    struct header header;
    int descriptors[MOST_DESCRIPTORS];
    if (!receive(socket, &header, descriptors)) _exit(0);
    char *text = malloc((size_t)header.bytes + 1);
    if (!text || !read_whole(socket, text, header.bytes)) _exit(0);
    int32_t answer = (int32_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (answer == 0) carry_out(socket, &header, descriptors, text);
    if (answer < 0) answer = -errno;
    free(text);
    for (uint32_t place = 0; place < header.descriptor_count; place++) close(descriptors[place]);
    if (write(socket, &answer, sizeof answer) != sizeof answer) _exit(0);
  }
}
