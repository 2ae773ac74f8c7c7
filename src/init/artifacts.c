// Walks a folder that an attacker has filled: names of any bytes, any depth, sparse files of any
// size, pipes and devices, a million entries. So: nothing is opened before fstatat says that it is
// a regular file or a folder, everything is bounded, and no buffer but these static ones is used.
#include "init/artifacts.h"

#include "init/clock.h"
#include "init/fail.h"
#include "init/files.h"
#include "init/frames.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { depth_max = 16, entries_max = 16384, artifact_path_max = 512, listing_size = 4096 };

struct KernelEntry {
  uint64_t inode;
  int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[];
};

// One folder on the way down, and how far it has been read.
struct Level {
  int fd;
  size_t path_size;  // of the folder itself, with a slash at its end
  size_t at, end;
  _Alignas(struct KernelEntry) unsigned char listing[listing_size];
};

static struct Level levels[depth_max];
static int depth;
static char path[artifact_path_max];
static uint32_t files_left, skipped;
static uint64_t bytes_left;
static bool whole;  // all or nothing, with modes and folders
static enum Kept kept;
static int64_t deadline;

static void make_room(size_t size) {
  while (out_room() < size) {
    if (out_flush_until(deadline) != out_empty) leave_unheard();
  }
}

static void send_bytes(int file, uint64_t size) {
  while (size > 0) {
    make_room(1);
    const size_t room = out_room();
    const ssize_t read_now = read(file, out_payload(), size < room ? (size_t)size : room);
    if (read_now < 0 && errno == EINTR) continue;
    if (read_now <= 0) break_down("read a file of the program", read_now < 0 ? errno : EIO);
    out_commit(frame_artifact_data, (size_t)read_now);
    size -= (uint64_t)read_now;
  }
}

static void send_head(uint32_t mode, uint64_t size, size_t path_size) {
  make_room(4 + 8 + path_size);
  unsigned char* at = out_payload();
  if (whole) at = put_u32(at, mode);
  at = put_u64(at, size);
  memcpy(at, path, path_size);
  out_commit(whole ? frame_kept : frame_artifact, (size_t)(at - out_payload()) + path_size);
}

static void send_file(int file, const struct stat* about, size_t path_size) {
  const uint64_t size = (uint64_t)about->st_size;
  send_head((about->st_mode & S_IXUSR) != 0 ? mode_executable : mode_plain, size, path_size);
  send_bytes(file, size);
  --files_left;
  bytes_left -= size;
}

// What is wanted whole is not wanted any more; the first reason is told.
static void spoil(enum Kept why) {
  if (whole && kept == kept_all) kept = why;
}

// Whether there is room for one more of this size.
static bool fits(uint64_t size) {
  if (files_left > 0 && size <= bytes_left) return true;
  spoil(files_left == 0 ? kept_too_many : kept_too_large);
  return false;
}

// O_NONBLOCK and the second look: should anything still run, it gets nowhere.
static void visit_file(int folder, const char* name, size_t path_size) {
  struct stat about;
  const int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  const bool readable = file >= 0 && fstat(file, &about) == 0 && S_ISREG(about.st_mode);
  if (readable && fits((uint64_t)about.st_size)) {
    send_file(file, &about, path_size);
  } else {
    ++skipped;
  }
  if (file >= 0) close(file);
}

static bool enter(int folder, const char* name, size_t path_size) {
  if (depth == depth_max) return false;
  const int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  struct Level* level = &levels[depth++];
  level->fd = fd;
  level->path_size = path_size;
  level->at = level->end = 0;
  return true;
}

static void visit_folder(int folder, const char* name, size_t path_size) {
  path[path_size] = '/';
  if (!enter(folder, name, path_size + 1)) {
    ++skipped;
    if (depth == depth_max) spoil(kept_too_deep);
    return;
  }
  if (!whole || !fits(0)) return;
  send_head(mode_folder, 0, path_size);
  --files_left;
}

static void visit(const struct Level* level, const char* name) {
  const size_t size = strlen(name);
  struct stat about;
  const bool short_enough = level->path_size + size + 1 <= sizeof path;
  if (!short_enough || fstatat(level->fd, name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
    ++skipped;
    // Names can be read there and nothing else: of everything in it only the names are known.
    if (short_enough && depth == 1) spoil(kept_no_folder);
    return;
  }
  memcpy(path + level->path_size, name, size);
  const size_t path_size = level->path_size + size;
  if (S_ISREG(about.st_mode)) {
    visit_file(level->fd, name, path_size);
  } else if (S_ISDIR(about.st_mode)) {
    visit_folder(level->fd, name, path_size);
  } else {
    ++skipped;
  }
}

// The next name of the folder, or NULL at its end.
static const char* next_name(struct Level* level) {
  for (;;) {
    if (level->at == level->end) {
      const long size = syscall(SYS_getdents64, level->fd, level->listing, sizeof level->listing);
      if (size <= 0) return NULL;
      level->at = 0;
      level->end = (size_t)size;
    }
    const struct KernelEntry* entry = (const struct KernelEntry*)(level->listing + level->at);
    level->at += entry->size;
    if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0) return entry->name;
  }
}

static void send_below(const char* folder, const struct ArtifactLimits* limits,
                       int64_t deadline_ns) {
  files_left = limits->files_max;
  bytes_left = limits->bytes_max;
  deadline = deadline_ns;
  skipped = 0;
  depth = 0;
  struct stat about;
  if (fstatat(files_work_folder(), folder, &about, AT_SYMLINK_NOFOLLOW) != 0) {
    spoil(kept_no_folder);
    return;
  }
  if (!enter(files_work_folder(), folder, 0)) {
    skipped = 1;
    spoil(kept_no_folder);
  }
  int entries = 0;
  while (depth > 0) {
    struct Level* level = &levels[depth - 1];
    const char* name = next_name(level);
    const bool too_many = entries == entries_max;
    const bool out_of_room = too_many || now_ns() >= deadline;
    if (name != NULL && out_of_room) spoil(too_many ? kept_too_many : kept_too_late);
    const bool enough = out_of_room || kept != kept_all;
    if (name != NULL && !enough) {
      ++entries;
      visit(level, name);
      continue;
    }
    if (name != NULL) ++skipped;  // and whatever is behind it
    close(level->fd);
    --depth;
  }
}

uint32_t artifacts_send(const char* folder, const struct ArtifactLimits* limits,
                        int64_t deadline_ns) {
  whole = false;
  kept = kept_all;
  send_below(folder, limits, deadline_ns);
  return skipped;
}

void folder_send(const char* folder, const struct ArtifactLimits* limits, int64_t deadline_ns) {
  whole = true;
  kept = kept_all;
  send_below(folder, limits, deadline_ns);
  unsigned char end[1 + 4] = {(unsigned char)kept};
  put_u32(end + 1, skipped);
  make_room(sizeof end);
  memcpy(out_payload(), end, sizeof end);
  out_commit(frame_kept_end, sizeof end);
}
