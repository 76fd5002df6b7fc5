// A view of the file system with only some things in it, made of mounts in a namespace of its own. Knows nothing of stages.
#define _GNU_SOURCE
#include "warden.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

// MARK: - The user

static void write_text(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, text, strlen(text)) < 0) refuse("cannot write", path);
  close(file);
}

void map_user(uid_t user, gid_t group) {
  char line[64];
  snprintf(line, sizeof line, "%u %u 1\n", user, user);
  write_text("/proc/self/uid_map", line);
  write_text("/proc/self/setgroups", "deny");
  snprintf(line, sizeof line, "%u %u 1\n", group, group);
  write_text("/proc/self/gid_map", line);
}

/// What root could undo its confinement with: mounts, other processes' memory, file handles, raw devices. Numbers of linux/capability.h.
static void give_up_powers(void) {
  static const int powers[] = {2 /* DAC_READ_SEARCH */, 16 /* SYS_MODULE */, 17 /* SYS_RAWIO */, 21 /* SYS_ADMIN */, 22 /* SYS_BOOT */,
                               27 /* MKNOD */};
  for (size_t place = 0; place < sizeof powers / sizeof *powers; place++) prctl(PR_CAPBSET_DROP, powers[place], 0, 0, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// MARK: - The view

static bool exists(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0;
}

/// The directories above `path`; what is there stays.
static void make_parents(const char *path) {
  char parent[4096];
  if (strlen(path) >= sizeof parent) refuse("the path is too long:", path);
  strcpy(parent, path);
  for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    if (mkdir(parent, 0755) != 0 && errno != EEXIST && !exists(parent)) refuse("cannot create", parent);
    *slash = '/';
  }
}

static void make_directory(const char *path) {
  if (mkdir(path, 0755) == 0 || errno == EEXIST || exists(path)) return;
  make_parents(path);
  if (mkdir(path, 0755) != 0 && errno != EEXIST) refuse("cannot create", path);
}

static void make_file(const char *path) {
  if (exists(path)) return;
  int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    make_parents(path);
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  }
  if (file < 0) refuse("cannot create", path);
  close(file);
}

struct attributes {
  __UINT64_TYPE__ set, clear, propagation, user;
};

static void make_read_only(const char *place, bool with_what_is_in_it) {
  struct attributes attributes = {.set = 1 /* MOUNT_ATTR_RDONLY */};
  // 442 is mount_setattr on every architecture; Linux 5.12.
  if (syscall(442, AT_FDCWD, place, with_what_is_in_it ? 0x8000 /* AT_RECURSIVE */ : 0, &attributes, sizeof attributes) == 0) return;
  // Before it, only the mount itself, with the flags that are locked.
  struct statvfs status;
  if (statvfs(place, &status) != 0) refuse("cannot look at", place);
  unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY;
  if (status.f_flag & ST_NOSUID) flags |= MS_NOSUID;
  if (status.f_flag & ST_NODEV) flags |= MS_NODEV;
  if (status.f_flag & ST_NOEXEC) flags |= MS_NOEXEC;
  if (status.f_flag & ST_NOATIME) flags |= MS_NOATIME;
  if (status.f_flag & ST_RELATIME) flags |= MS_RELATIME;
  if (mount(NULL, place, NULL, flags, NULL) != 0) refuse("cannot make read-only:", place);
}

/// What is shown is found from the old root, which is the working directory meanwhile.
static void show(const struct view *view) {
  const char *source = view->source[1] ? view->source + 1 : ".";
  struct stat status;
  if (stat(source, &status) != 0) refuse("cannot look at", view->source);
  if (S_ISDIR(status.st_mode)) make_directory(view->place); else make_file(view->place);
  if (mount(source, view->place, NULL, MS_BIND | MS_REC, NULL) != 0) refuse("cannot mount", view->place);
  if (view->kind == VIEW_READ_ONLY) make_read_only(view->place, true);
}

static void apply(const struct view *view) {
  switch (view->kind) {
  case VIEW_READ_ONLY:
  case VIEW_WRITABLE:
  case VIEW_DEVICES: return show(view);
  case VIEW_EMPTY:
    make_directory(view->place);
    if (mount("tmpfs", view->place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) refuse("cannot mount", view->place);
    return;
  case VIEW_LINK:
    if (exists(view->place)) return;
    make_parents(view->place);
    if (symlink(view->source, view->place) != 0) refuse("cannot link", view->place);
    return;
  case VIEW_PROCESSES:
    make_directory(view->place);
    if (mount("proc", view->place, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) refuse("cannot mount", view->place);
    return;
  case VIEW_DIRECTORY: return make_directory(view->place);
  case VIEW_SEALED: return make_read_only(view->place, false);
  }
}

void enter_empty_root(void) {
  int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (old < 0) refuse("cannot open", "/");
  if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) refuse("cannot make private:", "/");
  // Any directory will do for a moment; this one is always there.
  const char *base = "/proc";
  if (mount("tmpfs", base, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) refuse("cannot mount", "an empty root");
  // The old root then lies upon the new one, and only who stands in it can reach it.
  if (chdir(base) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || fchdir(old) != 0) refuse("cannot change", "the root");
  close(old);
}

void show_views(const struct order *order) {
  for (int place = 0; place < order->view_count; place++) apply(&order->views[place]);
}

void seal_root(void) { make_read_only("/", false); }

void leave_old_root(void) {
  if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) refuse("cannot leave", "the old root");
  give_up_powers();
}
