// Keeps secrets out of a log: every value is replaced by `***`, also when it comes in two pieces. Knows nothing of processes.
#define _GNU_SOURCE
#include "warden.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// Shorter values would mask half the log.
enum { SHORTEST = 4, PIECE = 65536 };

struct secret {
  const char *text;
  size_t length;
};

struct mask {
  struct secret *secrets;
  int count;
  bool starts[256];
  char *held;
  size_t held_length;
  size_t room;
};

static void add(struct mask *mask, const char *text, size_t length) {
  if (length < SHORTEST) return;
  struct secret *more = realloc(mask->secrets, sizeof *more * (size_t)(mask->count + 1));
  if (!more) refuse("cannot hold", "a secret");
  mask->secrets = more;
  // The longest first, so that of two that begin alike the whole one is found.
  int place = mask->count++;
  while (place > 0 && more[place - 1].length < length) {
    more[place] = more[place - 1];
    place--;
  }
  more[place] = (struct secret){text, length};
  mask->starts[(unsigned char)*text] = true;
}

/// A value, each line of it (keys have many), and the password in a URL.
static void add_value(struct mask *mask, const char *name, const char *value) {
  const char *scheme = strstr(value, "://");
  const char *at = scheme ? strchr(scheme, '@') : NULL;
  const char *colon = scheme ? strchr(scheme + 3, ':') : NULL;
  if (at && colon && colon < at) return add(mask, colon + 1, (size_t)(at - colon - 1));
  if (*name == '?') return;
  add(mask, value, strlen(value));
  for (const char *line = value; strchr(line, '\n');) {
    const char *end = strchrnul(line, '\n');
    add(mask, line, (size_t)(end - line));
    line = *end ? end + 1 : end;
  }
}

static const char *value_of(const char *name, char **environment) {
  size_t length = strlen(name);
  for (; *environment; environment++)
    if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return *environment + length + 1;
  return NULL;
}

struct mask *mask_make(char **names, int count, char **environment) {
  struct mask *mask = calloc(1, sizeof *mask);
  if (!mask) refuse("cannot hold", "secrets");
  for (int place = 0; place < count; place++) {
    // `?NAME` masks only a password inside a URL.
    const char *value = value_of(names[place][0] == '?' ? names[place] + 1 : names[place], environment);
    if (value) add_value(mask, names[place], value);
  }
  mask->room = 2 * PIECE;
  for (int place = 0; place < mask->count; place++) mask->room += mask->secrets[place].length;
  mask->held = malloc(mask->room);
  if (!mask->held) refuse("cannot hold", "a log");
  return mask;
}

static void write_all(int to, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = write(to, bytes, length);
    if (count < 0 && errno == EINTR) continue;
    // A full disk: the stage itself goes on, as it would if it wrote there and did not look.
    if (count <= 0) return;
    bytes += count;
    length -= (size_t)count;
  }
}

/// Writes what is held but for an end that a secret may begin with.
static void let_go(struct mask *mask, int to, bool is_last) {
  size_t done = 0, clean = 0;
  while (done < mask->held_length) {
    size_t left = mask->held_length - done;
    const char *here = mask->held + done;
    size_t found = 0;
    bool may_come = false;
    if (mask->starts[(unsigned char)*here]) {
      for (int place = 0; place < mask->count && !found && !may_come; place++) {
        struct secret secret = mask->secrets[place];
        if (left >= secret.length) {
          if (memcmp(here, secret.text, secret.length) == 0) found = secret.length;
        } else if (!is_last && memcmp(here, secret.text, left) == 0) {
          may_come = true;
        }
      }
    }
    if (may_come) break;
    if (!found) {
      done++;
      continue;
    }
    write_all(to, mask->held + clean, done - clean);
    write_all(to, "***", 3);
    done += found;
    clean = done;
  }
  write_all(to, mask->held + clean, done - clean);
  memmove(mask->held, mask->held + done, mask->held_length - done);
  mask->held_length -= done;
}

bool mask_pump(struct mask *mask, int from, int to) {
  ssize_t count = read(from, mask->held + mask->held_length, PIECE);
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  mask->held_length += (size_t)count;
  let_go(mask, to, count == 0);
  return count > 0;
}
