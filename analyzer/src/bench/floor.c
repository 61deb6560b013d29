/*
 * The least that the standard reports of a trace cost: one loop that reads the records of the synthetic
 * trace that `analyzer/bench-scale` makes, checks them, and counts them as the reports need it: by
 * site, by reason and stage in histograms, by time, and values of registers. Bounds are not checked,
 * and what is counted is not made into tables. What analyzer/bench-scale measures the reports against.
 *
 *     cc -O3 -march=native -o floor floor.c && ./floor QUEUE-FILE...
 *
 * The recorder's TraceFormat and EventLayout say how batches and records lie in a file. Prints
 * "N events, M sites, T ns an event" of CPU time; exit status 1 where a file is no such queue.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <nmmintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 40, REASONS = 256, STAGES = 4, CELLS = 40960, COARSE = 4096, SLOTS = 1 << 17 };
enum { PIO = 1, MMIO = 2, MSR = 4, HLT = 6, EPT_FAULT = 7, LAST_EXIT = 10 };
#define BUCKET 100000000 /* ns */
#define STAGES_CAPTURED 0x71u
#define RIP_CAPTURED 0x80u

struct site {
  uint64_t rip, number, what, access, reg;
  uint64_t count, stages[STAGES], first, last;
};

struct reg {
  uint64_t number, kind, known, count, nanos, unchanged, unchanged_nanos;
};

static struct site sites[SLOTS / 4];
static uint32_t site_count, slots[SLOTS];
static struct reg regs[SLOTS / 4];
static uint32_t reg_count;

static uint32_t cells[REASONS][STAGES][CELLS];
static uint64_t low[REASONS][STAGES], high[REASONS][STAGES], total[REASONS][STAGES];

static uint64_t bucket_start, bucket_sums[REASONS][3], longest, faults, idle;
static uint32_t bucket_cells[COARSE];

static uint64_t events, result; /* so that nothing is left out as useless */

static inline uint64_t u64(const uint8_t *p) {
  uint64_t v;
  memcpy(&v, p, 8);
  return v;
}

static inline uint32_t u32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}

/* CRC-32C in three lanes, which hides its latency; the lanes are not put together. */
static uint32_t checksum(const uint8_t *p, long bytes) {
  uint64_t a = 0, b = 0, c = 0;
  long lane = bytes / 24 / 8 * 8;
  for (long i = 0; i < lane; i += 8) {
    a = _mm_crc32_u64(a, u64(p + i));
    b = _mm_crc32_u64(b, u64(p + lane + i));
    c = _mm_crc32_u64(c, u64(p + 2 * lane + i));
  }
  return a ^ b ^ c;
}

/* Cell of a histogram that tells values of so many bits apart (HdrHistogram's layout). */
static inline int cell(uint64_t value, int bits) {
  int shift = 64 - bits - __builtin_clzll(value | ((1ull << bits) - 1));
  return (shift << (bits - 1)) + (int)(value >> shift);
}

static uint32_t register_of(uint64_t number, uint64_t kind) {
  for (uint32_t i = 0; i < reg_count; i++) {
    if (regs[i].number == number && regs[i].kind == kind) {
      return i;
    }
  }
  regs[reg_count] = (struct reg){.number = number, .kind = kind};
  return reg_count++;
}

static struct site *new_site(uint64_t rip, uint64_t number, uint64_t what) {
  struct site *site = &sites[site_count++];
  unsigned type = what >> 8 & 0xff;
  int access = type == PIO || type == MMIO || type == MSR;
  *site = (struct site){.rip = rip, .number = number, .what = what, .access = access, .first = -1};
  site->reg = access ? register_of(number, what & 0xff00ff00) : 0;
  return site;
}

static inline struct site *find(uint64_t rip, uint64_t number, uint64_t what) {
  uint64_t hash = rip * 0x9e3779b97f4a7c15 ^ number * 0xc2b2ae3d27d4eb4f ^ what * 0x165667b19e3779f9;
  for (uint32_t slot = (hash ^ hash >> 32) & (SLOTS - 1);; slot = (slot + 1) & (SLOTS - 1)) {
    if (slots[slot] == 0) {
      struct site *site = new_site(rip, number, what);
      slots[slot] = site_count;
      return site;
    }
    struct site *site = &sites[slots[slot] - 1];
    if (site->rip == rip && site->number == number && site->what == what) {
      return site;
    }
  }
}

static void close_bucket(uint64_t next) {
  for (int i = 0; i < COARSE; i++) {
    result += bucket_cells[i];
  }
  memset(bucket_cells, 0, sizeof bucket_cells);
  memset(bucket_sums, 0, sizeof bucket_sums);
  bucket_start = next - next % BUCKET;
}

static inline void count_stage(int reason, int stage, uint64_t nanos) {
  cells[reason][stage][cell(nanos, 11)]++;
  total[reason][stage] += nanos;
  low[reason][stage] = nanos < low[reason][stage] ? nanos : low[reason][stage];
  high[reason][stage] = nanos > high[reason][stage] ? nanos : high[reason][stage];
}

static inline void count_register(struct site *site, uint64_t value, uint64_t handling) {
  static struct site *before;
  static uint64_t near;
  struct reg *reg = &regs[site->reg];
  uint64_t unchanged = reg->known == value;
  reg->known = value;
  reg->count++;
  reg->nanos += handling;
  reg->unchanged += unchanged;
  reg->unchanged_nanos += handling & -unchanged;
  /* Runs of accesses begin where the same register, or the next, is accessed again. */
  near = before && site->number - before->number <= 1 ? near + 1 : 0;
  result += near >= 4;
  before = site;
}

static inline void count_exit(const uint8_t *p, uint64_t base_time) {
  unsigned type = p[0];
  uint32_t captured = u32(p + 4);
  uint64_t stages[STAGES] = {u64(p + 8), u32(p + 32), u32(p + 36), u32(p + 40)};
  uint64_t rip = u64(p + 16), time = base_time + u32(p + 24), number = 0, extra = 0;
  uint32_t word = u32(p + 44);
  switch (type) {
    case PIO: number = u32(p + 48) & 0xffff; extra = u64(p + 52); break;
    case MMIO: number = u64(p + 48); extra = u64(p + 64); break;
    case MSR: number = u32(p + 48); extra = u64(p + 52); break;
    case HLT: extra = u64(p + 48); break;
    case EPT_FAULT: number = u32(p + 48) | (uint64_t)(u32(p + 84) & 7) << 32; break;
    default: number = u64(p + 48);
  }
  int reason = word & 0xff;
  uint64_t handling = stages[1] + stages[2] + stages[3];
  struct site *site = find(rip, number, (word & 0xffff00ff) | type << 8 | (uint64_t)captured << 32);
  site->count++;
  for (int i = 0; i < STAGES; i++) {
    site->stages[i] += stages[i];
  }
  site->first = time < site->first ? time : site->first;
  site->last = time > site->last ? time : site->last;
  if ((captured & STAGES_CAPTURED) == STAGES_CAPTURED) {
    for (int i = 0; i < STAGES; i++) {
      count_stage(reason, i, stages[i]);
    }
  }
  if (time - bucket_start >= BUCKET || time - stages[0] < bucket_start) {
    close_bucket(time);
  }
  bucket_sums[reason][0]++;
  bucket_sums[reason][1] += stages[0];
  bucket_sums[reason][2] += handling;
  bucket_cells[cell(handling, 6)]++;
  longest = handling > longest ? handling : longest;
  faults += type == EPT_FAULT;
  idle += type == HLT ? extra : 0;
  if (site->access) {
    count_register(site, extra, handling);
  }
}

/* Returns 0 where it is no batch. */
static int count_batch(const uint8_t *p, const uint8_t *end) {
  uint64_t base_time = u64(p + 16);
  result ^= checksum(p, end - p);
  for (p += BATCH; p < end; events++) {
    uint32_t bytes = (u32(p) >> 16) * 4;
    if (bytes < 8 || bytes > end - p) {
      return 0;
    }
    if (p[0] <= LAST_EXIT && (u32(p + 4) & RIP_CAPTURED)) {
      count_exit(p, base_time);
    }
    p += bytes;
  }
  return 1;
}

static int count_file(const char *name) {
  int fd = open(name, O_RDONLY);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) {
    return 0;
  }
  const uint8_t *file = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, fd, 0);
  if (file == MAP_FAILED) {
    return 0;
  }
  bucket_start = 0;
  for (long at = 0; at + 4 <= status.st_size;) {
    uint32_t header = u32(file + at), bytes = header & 0x3fffffff;
    if (header == 0 || header >> 31 || at + 4 + (long)bytes > status.st_size) {
      break; /* not written to its end */
    }
    /* Bit 30: Chronicle's own. */
    if (header >> 30 == 0 && !count_batch(file + at + 4, file + at + 4 + bytes)) {
      return 0;
    }
    at += 4 + ((bytes + 3) & ~3u);
  }
  munmap((void *)file, status.st_size);
  close(fd);
  return 1;
}

int main(int argc, char **argv) {
  memset(low, 0xff, sizeof low);
  struct timespec start, end;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
  for (int i = 1; i < argc; i++) {
    if (!count_file(argv[i])) {
      fprintf(stderr, "%s is no queue of events\n", argv[i]);
      return 1;
    }
  }
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
  double nanos = (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec);
  printf("%lu events, %u sites, %.1f ns an event (%lx)\n", events, site_count, nanos / events,
         result ^ longest ^ faults ^ idle);
  return 0;
}
