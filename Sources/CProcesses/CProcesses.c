#define _GNU_SOURCE
#include "CProcesses.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

int hl_spawn_add_chdir(posix_spawn_file_actions_t *actions, const char *path) {
  return posix_spawn_file_actions_addchdir_np(actions, path);
}

int hl_closing_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int hl_available_processors(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

int hl_sync_all(int descriptor) { return syncfs(descriptor); }

int hl_start_writing(int descriptor) { return sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE); }
