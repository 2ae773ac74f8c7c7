#include "init/files.h"

#include "init/fail.h"
#include "init/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int work_folder = -1;
static int file = -1;
static uint64_t bytes_left;
static char path[path_max + 1];

void files_open(const char* folder) {
  work_folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (work_folder < 0) break_down("open the work folder", errno);
}

int files_work_folder(void) { return work_folder; }

static _Noreturn void refuse_path(const char* bytes, size_t size, const char* reason) {
  struct Text text = {.size = 0};
  text_add(&text, "cannot accept file ");
  text_quote(&text, bytes, size);
  text_add(&text, ": ");
  text_add(&text, reason);
  fail(exit_refused, &text);
}

static _Noreturn void break_down_at_path(int error) {
  struct Text text = {.size = 0};
  text_add(&text, "cannot write file ");
  text_quote(&text, path, strlen(path));
  text_add(&text, ": ");
  text_add(&text, strerror(error));
  fail(exit_broken, &text);
}

// The server has checked this already; PID 1 does not believe it.
const char* fault_of_path(const char* bytes, size_t size) {
  if (size == 0) return "its path is empty";
  if (size > path_max) return "its path is longer than 4095 bytes";
  if (memchr(bytes, '\0', size) != NULL) return "its path contains a NUL byte";
  if (bytes[0] == '/') return "its path is absolute";
  for (size_t begin = 0; begin <= size;) {
    const char* slash = memchr(bytes + begin, '/', size - begin);
    const size_t end = slash == NULL ? size : (size_t)(slash - bytes);
    const size_t length = end - begin;
    if (length == 0) return "its path has an empty component";
    if (length > component_max) return "its path has a component longer than 255 bytes";
    if (bytes[begin] == '.' && (length == 1 || (length == 2 && bytes[begin + 1] == '.'))) {
      return "its path has a '.' or '..' component";
    }
    begin = end + 1;
  }
  return NULL;
}

// Makes the last component of `path`: a file that is then open, or a folder that may be there.
static int create_last(int folder, const char* name, uint32_t mode) {
  if (mode != mode_folder) {
    return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  }
  if (mkdirat(folder, name, 0755) != 0 && errno != EEXIST) return -1;
  return openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Component by component and never through a symbolic link, so the result is inside the folder.
// Cuts `path` at its slashes while walking and mends it again.
static int create_file(uint32_t mode) {
  int folder = work_folder;
  char* name = path;
  for (char* slash = strchr(name, '/'); slash != NULL; slash = strchr(name, '/')) {
    *slash = '\0';
    const bool made = mkdirat(folder, name, 0755) == 0 || errno == EEXIST;
    const int next =
        made ? openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    const int error = errno;
    *slash = '/';
    if (folder != work_folder) close(folder);
    if (next < 0) break_down_at_path(error);
    folder = next;
    name = slash + 1;
  }
  const int made = create_last(folder, name, mode);
  const int error = errno;
  if (folder != work_folder) close(folder);
  if (made < 0) break_down_at_path(error);
  return made;
}

static void finish_file_when_complete(void) {
  if (bytes_left > 0) return;
  if (close(file) != 0) break_down_at_path(errno);
  file = -1;
}

void file_begin(uint32_t mode, uint64_t size, const char* bytes, size_t path_size) {
  const char* fault = fault_of_path(bytes, path_size);
  if (fault != NULL) refuse_path(bytes, path_size, fault);
  if (mode != mode_plain && mode != mode_executable && mode != mode_folder) {
    refuse_path(bytes, path_size, "its mode is not 0644, 0755 or that of a folder");
  }
  if (mode == mode_folder && size != 0) refuse_path(bytes, path_size, "a folder has no bytes");
  memcpy(path, bytes, path_size);
  path[path_size] = '\0';
  file = create_file(mode);
  bytes_left = size;
  finish_file_when_complete();
}

void file_append(const unsigned char* bytes, size_t size) {
  if (file < 0) refuse("a 'D' frame came without an 'F' frame before it");
  if (size > bytes_left) refuse_path(path, strlen(path), "it is longer than announced");
  bytes_left -= size;
  while (size > 0) {
    const ssize_t written = write(file, bytes, size);
    if (written < 0 && errno != EINTR) break_down_at_path(errno);
    if (written < 0) continue;
    bytes += written;
    size -= (size_t)written;
  }
  finish_file_when_complete();
}

bool file_unfinished(void) { return file >= 0; }
