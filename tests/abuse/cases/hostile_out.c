/* 44, 46: what may be wrong with /box/out. `hostile_out link|file|deep|many|sparse|shut|names` */
#include "probe.h"

static void make(const char* path, const char* content) {
  int file = open(path, O_CREAT | O_WRONLY, 0644);
  if (file < 0 || write(file, content, strlen(content)) < 0) {
    say("%s: %s", path, errno_word(errno));
  }
  close(file);
}

static void many(const char* format, int count) {
  char path[64];
  for (int i = 0; i < count; ++i) {
    snprintf(path, sizeof path, format, i);
    make(path, "one of many\n");
  }
}

static void odd_names(void) {
  static const char* names[] = {"new\nline",
                                "\r\nX-Injected: 1",
                                "-rf",
                                "\033[31mred",
                                "a\"b;c=d",
                                "\xff\xfe\xfd",
                                "\xe2\x80\xaetxt.exe",
                                "CON",
                                "..\\x",
                                "%2e%2e%2fx",
                                " ",
                                "$(id)"};
  char path[300] = "/box/out/";
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    strcpy(path + 9, names[i]);
    make(path, "harmless\n");
  }
  memset(path + 9, 'n', 255);
  path[9 + 255] = '\0';
  make(path, "harmless\n");
}

int main(int count, char** words) {
  const char* mode = count > 1 ? words[1] : "link";
  signal(SIGXFSZ, SIG_IGN);
  if (strcmp(mode, "link") == 0) return symlink("/etc", "/box/out");
  if (strcmp(mode, "file") == 0) {
    make("/box/out", "a file\n");
    return 0;
  }
  mkdir("/box/out", 0755);
  if (strcmp(mode, "many") == 0) many("/box/out/f%d", 2000);
  if (strcmp(mode, "names") == 0) odd_names();
  if (strcmp(mode, "shut") == 0) {
    make("/box/out/x", "harmless\n");
    chmod("/box/out/x", 0);
    chmod("/box/out", 0);
  }
  if (strcmp(mode, "sparse") == 0) {
    char path[64];
    for (int i = 0; i < 20; ++i) {
      snprintf(path, sizeof path, "/box/out/s%d", i);
      int file = open(path, O_CREAT | O_WRONLY, 0644);
      if (ftruncate(file, 60 << 20) != 0) say("%s: %s", path, errno_word(errno));
    }
  }
  if (strcmp(mode, "deep") == 0) {
    if (chdir("/box/out") != 0) return 1;
    for (int i = 0; i < 5000 && mkdir("d", 0755) == 0 && chdir("d") == 0; ++i) {
    }
    make("deepest", "harmless\n");
  }
  return 0;
}
