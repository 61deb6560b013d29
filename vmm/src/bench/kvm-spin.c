/*
 * The exit loop of the bundled guest `spin` with as little around it as KVM allows: one ioctl an
 * exit, nothing recorded, no device. What `vmm/spin-vs-c` measures the Java back end against.
 * With `asking` in place of `long` it asks for what a recording of an exit holds, and keeps nothing
 * of it: the guest's registers, by KVM_CAP_SYNC_REGS, and the time at the five borders of an exit's
 * stages. No recorder of the same can cost less.
 *
 *     cc -O2 -o kvm-spin kvm-spin.c && ./kvm-spin long 100000
 *
 * Prints "N exits M ns/exit". Exit status 1, with the step that failed, where KVM cannot be used.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

enum { MEMORY = 16 << 20, PML4 = 0x2000, PDPT = 0x3000, PD = 0x4000, CODE = 0x10000 };

/* l: out dx, al; dec rcx; jnz l; hlt */
static const uint8_t loop[] = {0xEE, 0x48, 0xFF, 0xC9, 0x75, 0xFA, 0xF4};

static long check(long result, const char *step) {
  if (result < 0) {
    perror(step);
    exit(1);
  }
  return result;
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void long_mode(struct kvm_sregs *s, uint8_t *memory) {
  uint64_t *pml4 = (uint64_t *)(memory + PML4);
  uint64_t *pdpt = (uint64_t *)(memory + PDPT);
  uint64_t *pd = (uint64_t *)(memory + PD);
  pml4[0] = PDPT | 3;
  pdpt[0] = PD | 3;
  for (uint64_t i = 0; i < MEMORY >> 21; i++) {
    pd[i] = i << 21 | 0x83;
  }
  s->cr3 = PML4;
  s->cr4 = 0x20;       /* PAE */
  s->cr0 = 0x80000031; /* PG, NE, ET, PE */
  s->efer = 0x500;     /* LMA, LME */
  struct kvm_segment code = {.limit = ~0u, .selector = 0x10, .present = 1, .type = 11, .s = 1, .l = 1, .g = 1};
  struct kvm_segment data = {.limit = ~0u, .selector = 0x18, .present = 1, .type = 3, .s = 1, .db = 1, .g = 1};
  s->cs = code;
  s->ds = s->es = s->fs = s->gs = s->ss = data;
}

/* Enters the guest until it exits. */
static void enter(int vcpu) {
  while (ioctl(vcpu, KVM_RUN, 0) < 0) {
    check(errno == EINTR ? 0 : -1, "KVM_RUN"); /* it was stopped for a while */
  }
}

/* The same with the times of entry, exit, dispatch, and begin and end of the device. */
static void enter_asking(int vcpu, int64_t times[5]) {
  times[0] = now();
  enter(vcpu);
  for (int i = 1; i < 5; i++) {
    times[i] = now();
  }
}

int main(int argc, char **argv) {
  int asking = argc == 3 && strcmp(argv[1], "asking") == 0;
  if (argc != 3 || !asking && strcmp(argv[1], "long") != 0) {
    fprintf(stderr, "usage: %s long|asking COUNT\n", argv[0]);
    return 2;
  }
  int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
  int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  uint8_t *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(memory == MAP_FAILED ? -1 : 0, "mmap");
  struct kvm_userspace_memory_region region = {
      .memory_size = MEMORY, .userspace_addr = (uintptr_t)memory};
  check(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
  check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");

  int vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  long bytes = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  struct kvm_run *run = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  check(run == MAP_FAILED ? -1 : 0, "mmap of the vCPU");
  /* Kept open, for others to see how far the guest is. */
  check(ioctl(vcpu, KVM_GET_STATS_FD, 0), "KVM_GET_STATS_FD");
  struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + 256 * sizeof cpuid->entries[0]);
  cpuid->nent = 256;
  check(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "KVM_GET_SUPPORTED_CPUID");
  check(ioctl(vcpu, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");

  struct kvm_sregs sregs;
  check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
  memcpy(memory + CODE, loop, sizeof loop);
  long_mode(&sregs, memory);
  check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
  struct kvm_regs regs = {
      .rip = CODE, .rflags = 2, .rax = '.', .rcx = strtoull(argv[2], NULL, 10), .rdx = 0x600};
  check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");

  run->kvm_valid_regs = asking ? KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS : 0;
  long exits = 0;
  int64_t times[5];
  int64_t start = now();
  do {
    if (asking) {
      enter_asking(vcpu, times);
    } else {
      enter(vcpu);
    }
    exits++;
  } while (run->exit_reason == KVM_EXIT_IO);
  double nanos = (double)(now() - start);
  if (run->exit_reason != KVM_EXIT_HLT) {
    fprintf(stderr, "the guest ended with KVM exit %u\n", run->exit_reason);
    return 1;
  }
  printf("%ld exits %.0f ns/exit\n", exits, nanos / exits);
  return 0;
}
