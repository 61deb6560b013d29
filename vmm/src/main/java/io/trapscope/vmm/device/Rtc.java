package io.trapscope.vmm.device;

import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/**
 * The MC146818 real-time clock and the CMOS memory around it, at ports 0x70 and 0x71 (Motorola
 * MC146818A data sheet). The clock shows the wall-clock time the machine was made with plus guest
 * time. Interrupts go to IRQ 8.
 *
 * <p>Between accesses nothing runs, unless an interrupt is enabled and not yet pending: flags are
 * worked out from the time when register C is read.
 */
public final class Rtc implements Device {
  private static final long SECOND = 1_000_000_000;

  private static final int SECONDS = 0;
  private static final int SECONDS_ALARM = 1;
  private static final int MINUTES = 2;
  private static final int MINUTES_ALARM = 3;
  private static final int HOURS = 4;
  private static final int HOURS_ALARM = 5;
  private static final int DAY_OF_WEEK = 6;
  private static final int DAY = 7;
  private static final int MONTH = 8;
  private static final int YEAR = 9;
  private static final int A = 10;
  private static final int B = 11;
  private static final int C = 12;
  private static final int D = 13;

  /** Where the century is; the FADT says so too. */
  public static final int CENTURY = 0x32;

  private static final int A_UPDATE_IN_PROGRESS = 0x80;
  private static final int B_SET = 0x80;
  private static final int B_PERIODIC = 0x40;
  private static final int B_ALARM = 0x20;
  private static final int B_UPDATE = 0x10;
  private static final int B_BINARY = 0x04;
  private static final int B_24_HOURS = 0x02;
  private static final int C_REQUEST = 0x80;
  private static final int D_VALID = 0x80;

  /** The update cycle's announcement: UIP is set this long before the seconds change. */
  private static final long UPDATE_NANOS = 244_000;

  private final Timers timers;
  private final Timers.Timer timer;
  private final InterruptLine irq8;
  private final byte[] memory = new byte[128];
  private int index;

  /**
   * Wall clock at guest time 0: seconds since 1970, and ns of that second. The guest moves it when
   * it sets the clock, by more than a count of ns can hold: centuries are two digits.
   */
  private long epochSecond;

  private long epochNano;

  private int flags;

  /** Guest time up to which {@link #flags} is worked out. */
  private long flagsNanos;

  /** The wall-clock second that SET holds, as the guest edits it; null while the clock runs. */
  private int[] held;

  /**
   * @param wallClockNanos ns since 1970-01-01T00:00Z that the clock shows at guest time 0
   * @param lowMemoryEnd RAM below 4 GiB, in bytes
   * @param highMemory RAM from 4 GiB on, in bytes
   */
  public Rtc(
      Timers timers, InterruptLine irq8, long wallClockNanos, long lowMemoryEnd, long highMemory) {
    this.timers = timers;
    this.irq8 = irq8;
    this.epochSecond = Math.floorDiv(wallClockNanos, SECOND);
    this.epochNano = Math.floorMod(wallClockNanos, SECOND);
    this.timer = timers.create(this::sync);
    // 32.768 kHz time base, 1.024 kHz periodic rate; 24 hours, BCD: what firmware leaves.
    memory[A] = 0x26;
    memory[B] = B_24_HOURS;
    storeMemorySize(lowMemoryEnd, highMemory);
  }

  /** The sizes as PC firmware notes them: KiB and 64 KiB units, little-endian. */
  private void storeMemorySize(long low, long high) {
    store(0x15, 640, 2);
    long extended = Math.min((low - 0x100000) >> 10, 0xffff);
    store(0x17, extended, 2);
    store(0x30, extended, 2);
    store(0x34, Math.max(0, low - 0x1000000) >> 16, 2);
    store(0x5b, high >> 16, 3);
  }

  private void store(int at, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      memory[at + i] = (byte) (value >> 8 * i);
    }
  }

  @Override
  public String name() {
    return "rtc";
  }

  @Override
  public long read(long offset, int size) {
    if (offset == 0) {
      return 0xff;
    }
    switch (index) {
      case SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY, MONTH, YEAR, CENTURY:
        return encode(index, held != null ? held[slot(index)] : field(index));
      case A:
        return memory[A] & 0x7f | (updating() ? A_UPDATE_IN_PROGRESS : 0);
      case C:
        return readFlags();
      case D:
        return D_VALID;
      default:
        return memory[index] & 0xff;
    }
  }

  @Override
  public void write(long offset, int size, long value) {
    int data = (int) value & 0xff;
    if (offset == 0) {
      // Bit 7 masks NMI, of which this machine has no source.
      index = data & 0x7f;
      return;
    }
    switch (index) {
      case SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY, MONTH, YEAR, CENTURY -> set(index, data);
      case C, D -> {
        // Read-only.
      }
      case B -> writeB(data);
      default -> {
        sync();
        memory[index] = (byte) data;
        arm();
      }
    }
  }

  private void writeB(int data) {
    sync();
    boolean hold = (data & B_SET) != 0;
    if (hold && held == null) {
      held = fields();
    } else if (!hold && held != null) {
      int[] fields = held;
      held = null;
      setTime(fields);
    }
    memory[B] = (byte) (hold ? data & ~B_UPDATE : data);
    raise();
    arm();
  }

  /** The wall clock's ns of the second at this guest time. */
  private long fraction(long nanos) {
    return (epochNano + nanos) % SECOND;
  }

  private boolean updating() {
    return held == null && fraction(timers.now()) >= SECOND - UPDATE_NANOS;
  }

  /** The wall clock at this guest time. */
  private LocalDateTime time(long nanos) {
    long second = epochSecond + (epochNano + nanos) / SECOND;
    return LocalDateTime.ofEpochSecond(second, 0, ZoneOffset.UTC);
  }

  private int field(int register) {
    LocalDateTime time = time(timers.now());
    return switch (register) {
      case SECONDS -> time.getSecond();
      case MINUTES -> time.getMinute();
      case HOURS -> time.getHour();
      case DAY_OF_WEEK -> time.getDayOfWeek().getValue() % 7 + 1;
      case DAY -> time.getDayOfMonth();
      case MONTH -> time.getMonthValue();
      case YEAR -> time.getYear() % 100;
      default -> time.getYear() / 100;
    };
  }

  private static int slot(int register) {
    return register == CENTURY ? 10 : register;
  }

  private int[] fields() {
    int[] all = new int[11];
    for (int register : new int[] {SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY, MONTH, YEAR}) {
      all[register] = field(register);
    }
    all[slot(CENTURY)] = field(CENTURY);
    return all;
  }

  private void set(int register, int data) {
    sync();
    int[] fields = held != null ? held : fields();
    fields[slot(register)] = decode(register, data);
    if (held == null) {
      setTime(fields);
      arm();
    }
  }

  private void setTime(int[] fields) {
    LocalDateTime time;
    try {
      time =
          LocalDateTime.of(
              fields[slot(CENTURY)] * 100 + fields[YEAR],
              fields[MONTH],
              fields[DAY],
              fields[HOURS],
              fields[MINUTES],
              fields[SECONDS]);
    } catch (DateTimeException e) {
      // A date that does not exist: the clock keeps its time, as no calendar can follow it.
      return;
    }
    epochSecond = time.toEpochSecond(ZoneOffset.UTC) + Math.floorDiv(-timers.now(), SECOND);
    epochNano = Math.floorMod(-timers.now(), SECOND);
    flagsNanos = timers.now();
  }

  /** A value as registers show it: BCD or binary, 12-hour with bit 7 for the afternoon. */
  private int encode(int register, int value) {
    int afternoon = 0;
    if (register == HOURS && (memory[B] & B_24_HOURS) == 0) {
      afternoon = value >= 12 ? 0x80 : 0;
      value = (value + 11) % 12 + 1;
    }
    return afternoon | ((memory[B] & B_BINARY) != 0 ? value : value / 10 << 4 | value % 10);
  }

  private int decode(int register, int data) {
    boolean twelve =
        (register == HOURS || register == HOURS_ALARM) && (memory[B] & B_24_HOURS) == 0;
    int digits = twelve ? data & 0x7f : data;
    int value = (memory[B] & B_BINARY) != 0 ? digits : (digits >> 4) * 10 + (digits & 15);
    return twelve ? value % 12 + (data >= 0x80 ? 12 : 0) : value;
  }

  /** The periodic interrupt's period in ns, or 0 for none (register A's rate selection). */
  private long periodNanos() {
    int rate = memory[A] & 15;
    if (rate == 0) {
      return 0;
    }
    int cycles = 1 << (rate <= 2 ? rate + 6 : rate - 1);
    return cycles * SECOND / 32768;
  }

  /** Guest time of the first change of the seconds after {@code nanos}. */
  private long nextSecond(long nanos) {
    return nanos + SECOND - fraction(nanos);
  }

  /** Guest time of the first alarm after {@code nanos}, or {@code Long.MAX_VALUE}. */
  private long nextAlarm(long nanos) {
    long candidate = nextSecond(nanos);
    LocalDateTime time = time(candidate);
    for (int i = 0; i < 86400; i++) {
      boolean hour = matches(HOURS_ALARM, time.getHour());
      boolean minute = matches(MINUTES_ALARM, time.getMinute());
      if (hour && minute && matches(SECONDS_ALARM, time.getSecond())) {
        return candidate;
      }
      // Whole minutes at a time where the minute cannot match.
      int step = hour && minute ? 1 : 60 - time.getSecond();
      i += step - 1;
      candidate += step * SECOND;
      time = time.plusSeconds(step);
    }
    return Long.MAX_VALUE;
  }

  private boolean matches(int register, int value) {
    int alarm = memory[register] & 0xff;
    return (alarm & 0xc0) == 0xc0 || decode(register, alarm) == value;
  }

  /** Brings the flags of register C up to now. */
  private void sync() {
    long now = timers.now();
    if (now > flagsNanos && held == null) {
      long period = periodNanos();
      if (period != 0 && now / period > flagsNanos / period) {
        flags |= B_PERIODIC;
      }
      if (nextSecond(flagsNanos) <= now) {
        flags |= B_UPDATE;
        if ((flags & B_ALARM) == 0 && nextAlarm(flagsNanos) <= now) {
          flags |= B_ALARM;
        }
      }
    }
    flagsNanos = now;
    raise();
    arm();
  }

  /** IRQF is set while a flag and its enable are. */
  private void raise() {
    boolean request = (flags & memory[B] & (B_PERIODIC | B_ALARM | B_UPDATE)) != 0;
    flags = flags & ~C_REQUEST | (request ? C_REQUEST : 0);
    irq8.set(request);
  }

  private int readFlags() {
    sync();
    int value = flags;
    flags = 0;
    irq8.set(false);
    arm();
    return value;
  }

  private void arm() {
    long next = Long.MAX_VALUE;
    boolean requested = (flags & C_REQUEST) != 0;
    if (!requested && held == null) {
      long period = periodNanos();
      if ((memory[B] & B_PERIODIC) != 0 && period != 0) {
        next = (flagsNanos / period + 1) * period;
      }
      if ((memory[B] & B_UPDATE) != 0) {
        next = Math.min(next, nextSecond(flagsNanos));
      }
      if ((memory[B] & B_ALARM) != 0) {
        next = Math.min(next, nextAlarm(flagsNanos));
      }
    }
    timer.arm(next);
  }
}
