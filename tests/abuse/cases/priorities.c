/* 6: takes processor time and disk time before everybody else. */
#include "probe.h"

#include <sys/resource.h>

struct deadline_attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

int main(void) {
  struct sched_param first = {.sched_priority = 50};
  struct deadline_attributes deadline = {.size = sizeof deadline, .policy = 6};
  deadline.runtime = 5000000;
  deadline.deadline = deadline.period = 10000000;
  struct rlimit unlimited = {.rlim_cur = 99, .rlim_max = 99};
  report("nice -20", setpriority(PRIO_PROCESS, 0, -20));
  report("RLIMIT_RTPRIO", syscall(SYS_prlimit64, 0, RLIMIT_RTPRIO, &unlimited, NULL));
  report("SCHED_FIFO", syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &first));
  report("SCHED_RR", syscall(SYS_sched_setscheduler, 0, SCHED_RR, &first));
  report("SCHED_DEADLINE", syscall(SYS_sched_setattr, 0, &deadline, 0));
  report("ioprio RT", syscall(SYS_ioprio_set, 1, 0, 1 << 13));
  report("PID 1 idle", setpriority(PRIO_PROCESS, 1, 19));
}
