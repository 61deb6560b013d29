/*
 * Runs test cases on the processor of the host and reports what it did: the oracle of the software
 * processor's differential tests. x86-64 Linux only.
 *
 * Reads case records from stdin and writes one result record each to stdout, in order; both are the
 * packed structures below, little-endian. Exits with 0 at end of input.
 *
 * Link it with -static-pie, so that nothing but a case's own pages lies in the low 4 GiB.
 *
 * A case runs in user mode (64-bit, or 32-bit when asked) and always ends in an exception: the code
 * area is filled with INT3, so falling off the end is vector 3. Everything happens in the handler of
 * that signal: it stores the interrupted state as the result, puts the next case into the signal
 * frame, and returns into it. So a case costs one exception and one sigreturn.
 *
 * Memory of a case, the same addresses in every mode:
 *
 *     CODE  two pages, read, write, execute, filled with INT3 around the case's bytes
 *     DATA  two pages, read, write; unmapped on both sides. A case fills three windows, the rest is 0:
 *           256 bytes before and 256 bytes after the border of the two pages, 256 at the very end
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE 0x10000000UL
#define DATA 0x20000000UL
#define PAGE 4096UL
#define MAX_CODE 256

#define USER32_CS 0x23
#define USER64_CS 0x33
#define USER_DS 0x2b
#define VECTOR_TIMEOUT 255

struct test_case {
  uint32_t mode;       /* 64 or 32 */
  uint32_t code_start; /* offset of the first byte in the code area */
  uint32_t code_length;
  uint32_t reserved;
  uint64_t gpr[16]; /* by encoding */
  uint64_t rflags;
  uint8_t fx[512]; /* FXSAVE64 image */
  uint8_t window[768];
  uint8_t code[MAX_CODE];
} __attribute__((packed));

struct test_result {
  uint32_t vector;
  uint32_t error;
  uint64_t cr2;
  uint64_t rip;
  uint64_t rflags;
  uint64_t gpr[16];
  uint8_t fx[512];
  uint8_t window[768];
  uint64_t rest; /* sum over the rest of the data area and the code area, see checksum() */
} __attribute__((packed));

/* gregs index by register encoding. */
static const int GREG[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                             REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

#define BATCH 64
static struct test_case cases[BATCH];
static struct test_result results[BATCH];
static size_t available, next, done;
static int started;

static void flush_results(void) {
  const char *from = (const char *)results;
  size_t left = done * sizeof results[0];
  while (left > 0) {
    ssize_t n = write(1, from, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(3);
    from += n;
    left -= (size_t)n;
  }
  done = 0;
}

/* Reads at least one whole case; whatever else the pipe has ready, up to BATCH, comes along. */
static void read_cases(void) {
  size_t have = 0;
  do {
    ssize_t n = read(0, (char *)cases + have, sizeof cases - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) _exit(4);
    if (n == 0) _exit(have == 0 ? 0 : 5);
    have += (size_t)n;
  } while (have % sizeof cases[0] != 0);
  available = have / sizeof cases[0];
  next = 0;
}

static uint64_t checksum(void) {
  uint64_t sum = 0;
  const uint64_t *data = (const uint64_t *)DATA;
  for (size_t i = 0; i < 2 * PAGE / 8; i++) {
    size_t at = i * 8;
    int window = (at >= PAGE - 256 && at < PAGE + 256) || at >= 2 * PAGE - 256;
    if (!window) sum = sum * 31 + data[i];
  }
  const uint64_t *code = (const uint64_t *)CODE;
  for (size_t i = 0; i < 2 * PAGE / 8; i++) sum = sum * 31 + code[i];
  return sum;
}

static void store_result(const ucontext_t *context, uint32_t vector) {
  struct test_result *result = &results[done++];
  const greg_t *gregs = context->uc_mcontext.gregs;
  result->vector = vector;
  result->error = (uint32_t)gregs[REG_ERR];
  result->cr2 = (uint64_t)gregs[REG_CR2];
  result->rip = (uint64_t)gregs[REG_RIP];
  result->rflags = (uint64_t)gregs[REG_EFL];
  for (int i = 0; i < 16; i++) result->gpr[i] = (uint64_t)gregs[GREG[i]];
  memcpy(result->fx, context->uc_mcontext.fpregs, 512);
  memcpy(result->window, (void *)(DATA + PAGE - 256), 512);
  memcpy(result->window + 512, (void *)(DATA + 2 * PAGE - 256), 256);
  result->rest = checksum();
}

static void load_case(ucontext_t *context) {
  const struct test_case *test = &cases[next++];
  greg_t *gregs = context->uc_mcontext.gregs;
  memset((void *)CODE, 0xCC, 2 * PAGE);
  memset((void *)DATA, 0, 2 * PAGE);
  memcpy((void *)(DATA + PAGE - 256), test->window, 512);
  memcpy((void *)(DATA + 2 * PAGE - 256), test->window + 512, 256);
  memcpy((void *)(CODE + test->code_start), test->code, test->code_length);
  for (int i = 0; i < 16; i++) gregs[GREG[i]] = (greg_t)test->gpr[i];
  gregs[REG_RIP] = (greg_t)(CODE + test->code_start);
  gregs[REG_EFL] = (greg_t)test->rflags;
  gregs[REG_CSGSFS] = (gregs[REG_CSGSFS] & ~0xFFFFL) | (test->mode == 32 ? USER32_CS : USER64_CS);
  /* Bytes 464 on belong to the kernel's description of the frame; XSTATE_BV follows the image. */
  uint8_t *fx = (uint8_t *)context->uc_mcontext.fpregs;
  memcpy(fx, test->fx, 416);
  uint32_t magic;
  memcpy(&magic, fx + 464, 4);
  if (magic == 0x46505853) {
    uint64_t components;
    memcpy(&components, fx + 512, 8);
    components |= 3;
    memcpy(fx + 512, &components, 8);
  }
}

static void on_signal(int signal, siginfo_t *info, void *raw) {
  (void)info;
  ucontext_t *context = raw;
  if (started) {
    store_result(context, signal == SIGALRM ? VECTOR_TIMEOUT
                                            : (uint32_t)context->uc_mcontext.gregs[REG_TRAPNO]);
  }
  started = 1;
  if (next == available) {
    /* The time limit is for the cases, not for who sends them. */
    const struct itimerval off = {{0, 0}, {0, 0}}, limit = {{0, 0}, {5, 0}};
    setitimer(ITIMER_REAL, &off, NULL);
    flush_results();
    read_cases();
    setitimer(ITIMER_REAL, &limit, NULL);
  }
  load_case(context);
}

static void map(unsigned long address, unsigned long length, int protection) {
  void *at = mmap((void *)address, length, protection,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (at != (void *)address) {
    perror("oracle: mmap");
    exit(2);
  }
}

int main(void) {
  static uint8_t stack[1 << 16] __attribute__((aligned(64)));
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {0};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM};
  map(CODE, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
  map(DATA, 2 * PAGE, PROT_READ | PROT_WRITE);
  if (sigaltstack(&alternate, NULL) != 0) return 2;
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    if (sigaction(signals[i], &action, NULL) != 0) return 2;
  }
  /* 32-bit cases need flat DS and ES; 64-bit processes start with null ones. */
  __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(USER_DS));
  __asm__ volatile("int3");
  return 2; /* not reached: the handler never comes back here */
}
