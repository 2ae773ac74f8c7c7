// Everything here happens once per execution and before any of its bytes have been read. What the
// program inherits is decided in this file; docs/adr/0017-nursery.md says why it is so.
#include "nursery/newborn.h"

#include "init/accounting.h"
#include "init/boot.h"
#include "init/descriptors.h"
#include "init/fail.h"
#include "nursery/decimal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  open_files_max = 1024,
  signals_queued_max = 256,
  capabilities_count = 64,
  first_kept = 3,
};

static const rlim_t stack_bytes = 64u << 20;
// The host kills sandboxes before its own daemons when its memory runs out; gantry-init raises the
// program's own score further, so that it survives to tell. Written with CAP_SYS_RESOURCE it is
// also the least that anything in the sandbox can choose.
static const char oom_score[] = "500";
static const char empty_folder[] = "/tmp";  // of the root, before anything is mounted there

// What engines hide of a container's /proc, and what nobody may write there.
static const char* const hidden_files[] = {"/proc/kcore",       "/proc/keys",
                                           "/proc/timer_list",  "/proc/timer_stats",
                                           "/proc/sched_debug", "/proc/latency_stats"};
static const char* const hidden_folders[] = {"/proc/acpi", "/proc/asound", "/proc/scsi",
                                             "/proc/firmware"};
static const char* const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                        "/proc/sysrq-trigger"};

static void insist(int result, const char* what) {
  if (result != 0) break_down(what, errno);
}

// An interpreter that became a nursery has handlers; PID 1 may have none. Past the C library, which
// keeps a few numbers to itself and would hand on that they are ignored.
static void forget_signals(void) {
  const unsigned long standard[4] = {0};  // the kernel's own struct sigaction
  enum { signals_count = 64, mask_size = 8 };
  for (int number = 1; number <= signals_count; ++number) {
    syscall(SYS_rt_sigaction, number, standard, NULL, mask_size);
  }
}

static void take_stream(const struct Birth* birth, const int* descriptors) {
  for (uint32_t i = 0; i < birth->descriptors; ++i) {
    if (birth->roles[i] != birth_stream) continue;
    dup2(descriptors[i], STDIN_FILENO);
    dup2(descriptors[i], STDOUT_FILENO);
  }
  const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nothing < 0) break_down("open /dev/null", errno);
  dup2(nothing, STDERR_FILENO);  // 'X' frames carry the same words
}

static void write_file(const char* path, const char* text, const char* what) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) break_down(what, errno);
  if (write(fd, text, strlen(text)) < 0) break_down(what, errno);
  close(fd);
}

// In a user namespace the one user outside is the program's user inside; groups can not be set.
static void map_user(const struct Birth* birth) {
  struct Text map = {.size = 0};
  text_add_number(&map, birth->user);
  text_add(&map, " 0 1");
  write_file("/proc/self/setgroups", "deny", "give up groups");
  write_file("/proc/self/gid_map", map.bytes, "map the group");
  write_file("/proc/self/uid_map", map.bytes, "map the user");
}

static void enter_cgroups(const struct Birth* birth, const int* descriptors) {
  for (uint32_t i = 0; i < birth->descriptors; ++i) {
    if (birth->roles[i] != birth_attach) continue;
    if (write(descriptors[i], "0", 1) != 1) break_down("enter the cgroup", errno);
  }
}

static void add_option(struct Text* options, const char* name, uint64_t value) {
  text_add(options, name);
  text_add_number(options, value);
}

static void mount_folder(const struct Birth* birth, const char* path, unsigned long flags) {
  struct Text options = {.size = 0};
  text_add(&options, "mode=0700");
  add_option(&options, ",size=", birth->tmpfs_bytes);
  add_option(&options, ",nr_inodes=", birth->inodes_max);
  add_option(&options, ",uid=", birth->user);
  add_option(&options, ",gid=", birth->user);
  insist(mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | flags, options.bytes),
         "mount a folder of the sandbox");
}

// What this kernel does not have needs no cover.
static bool cover(const char* path, const char* with) {
  if (mount(with, path, NULL, MS_BIND, NULL) == 0) return true;
  if (errno != ENOENT) break_down("cover a part of /proc", errno);
  return false;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void mount_proc(void) {
  const unsigned long harmless = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  insist(mount("proc", "/proc", "proc", harmless, NULL), "mount /proc");
  for (size_t i = 0; i < COUNT(hidden_files); ++i) cover(hidden_files[i], "/dev/null");
  for (size_t i = 0; i < COUNT(hidden_folders); ++i) cover(hidden_folders[i], empty_folder);
  for (size_t i = 0; i < COUNT(read_only); ++i) {
    if (!cover(read_only[i], read_only[i])) continue;
    insist(mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | harmless, NULL),
           "make a part of /proc read-only");
  }
}

static void mount_surroundings(const struct Birth* birth) {
  insist(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make the mounts private");
  mount_proc();
  insist(mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
               "newinstance,ptmxmode=0666,mode=0620,max=64"),
         "mount /dev/pts");
  mount_folder(birth, "/box", 0);
  if (birth->flags & birth_temporary_files) mount_folder(birth, "/tmp", MS_NOEXEC);
}

static void raise_loopback(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;  // a kernel without IPv4 has no loopback to miss
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  insist(ioctl(fd, SIOCSIFFLAGS, &request), "raise the loopback interface");
  close(fd);
}

static void limit(int resource, rlim_t value) {
  struct rlimit now;
  insist(getrlimit(resource, &now), "read a limit");
  // Above what the server itself has nothing can be given.
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) value = now.rlim_max;
  const struct rlimit wanted = {.rlim_cur = value, .rlim_max = value};
  insist(setrlimit(resource, &wanted), "set a limit");
}

// All programs of a user namespace are one user to the kernel, and what they keep in flight counts
// against the nursery: see answer_birth() in serve.c.
static rlim_t open_files(const struct Birth* birth) {
  struct rlimit now;
  insist(getrlimit(RLIMIT_NOFILE, &now), "read a limit");
  const rlim_t share = birth->flags & birth_user_namespace ? now.rlim_cur / 4 : now.rlim_cur;
  return share < open_files_max ? share : open_files_max;
}

static void limit_resources(const struct Birth* birth) {
  limit(RLIMIT_NOFILE, open_files(birth));
  limit(RLIMIT_FSIZE, birth->file_bytes);
  limit(RLIMIT_CORE, 0);      // no dumps on the host's disk
  limit(RLIMIT_MEMLOCK, 0);   // no pinned memory
  limit(RLIMIT_MSGQUEUE, 0);  // no kernel memory in message queues
  limit(RLIMIT_SIGPENDING, signals_queued_max);
  limit(RLIMIT_STACK, stack_bytes);
  if (birth->data_bytes != 0) limit(RLIMIT_DATA, birth->data_bytes);
  if (birth->processes != 0) limit(RLIMIT_NPROC, birth->processes);
}

static void drop_privileges(const struct Birth* birth) {
  // EINVAL: beyond the last one this kernel has.
  for (int number = 0; number < capabilities_count; ++number) {
    if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 && errno == EINVAL) break;
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (!(birth->flags & birth_user_namespace)) insist(setgroups(0, NULL), "give up groups");
  insist(setresgid(birth->user, birth->user, birth->user), "change the group");
  insist(setresuid(birth->user, birth->user, birth->user), "change the user");
  // struct __user_cap_header_struct of version 3 and its data.
  struct {
    uint32_t version;
    int pid;
  } header = {.version = 0x20080522, .pid = 0};
  const uint32_t none[6] = {0};
  insist((int)syscall(SYS_capset, &header, none), "give up capabilities");
  insist(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "give up new privileges");
}

static void filter_system_calls(const struct Filter* filter) {
  const struct {
    unsigned short count;
    const struct Instruction* instructions;
  } program = {.count = filter->count, .instructions = filter->instructions};
  enum { mode_filter = 1 };
  insist((int)syscall(SYS_seccomp, mode_filter, 0, &program), "set the seccomp filter");
}

// Counters keep 3, 4, …; nothing else stays open.
static void keep_counters(const struct Birth* birth, const int* descriptors) {
  static const int measures[] = {[birth_cpu_us] = measure_cpu_us, [birth_cpu_ns] = measure_cpu_ns,
                                 [birth_peak] = measure_peak,     [birth_oom] = measure_oom,
                                 [birth_used] = measure_used,     [birth_limit] = measure_limit,
                                 [birth_files] = measure_files};
  int copies[birth_descriptors_max];
  int count = 0;
  enum Measure kinds[birth_descriptors_max];
  for (uint32_t i = 0; i < birth->descriptors; ++i) {
    if (birth->roles[i] < birth_cpu_us) continue;
    kinds[count] = (enum Measure)measures[birth->roles[i]];
    copies[count] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, first_kept + birth_descriptors_max);
    if (copies[count++] < 0) break_down("keep a counter", errno);
  }
  for (int i = 0; i < count; ++i) {
    dup3(copies[i], first_kept + i, O_CLOEXEC);
    accounting_adopt(kinds[i], first_kept + i);
  }
  close_descriptors_from(first_kept + count);
}

void grow_up(const struct Birth* birth, const int* descriptors, const struct Filter* filter) {
  forget_signals();
  take_stream(birth, descriptors);
  if (birth->flags & birth_user_namespace) map_user(birth);
  enter_cgroups(birth, descriptors);
  // The cgroup namespace last made is rooted where we are now.
  insist(unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP),
         "make namespaces");
  mount_surroundings(birth);
  insist(sethostname("sandbox", 7), "set the host name");
  raise_loopback();
  write_file("/proc/self/oom_score_adj", oom_score, "volunteer for the OOM killer");
  keep_counters(birth, descriptors);
  limit_resources(birth);
  drop_privileges(birth);
  filter_system_calls(filter);
  boot("/box");
}
