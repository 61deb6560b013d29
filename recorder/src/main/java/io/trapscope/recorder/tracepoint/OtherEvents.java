package io.trapscope.recorder.tracepoint;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.recorder.event.Emulator;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.InterruptionType;
import io.trapscope.recorder.event.LossCause;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Events of tracepoints that are no part of an exit, and those that wait until one is written. */
final class OtherEvents {
  private static final int PAGE_SHIFT = 12;

  /** Physical address in an entry of any x86 page table. */
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  private static final long PRESENT_OR_READABLE = 1;

  /** {@code level} in KVM's {@code union kvm_mmu_page_role}: its lowest four bits. */
  private static final int ROLE_LEVEL = 15;

  private static final int INSTRUCTION = 15;

  /** Most room for records that wait; an exit during which more come is written before its end. */
  private static final int ROOM = 256 << 10;

  /** Room to begin with: of the threads of a host, which are many, most need none. */
  private static final int FIRST_ROOM = 1 << 10;

  // Each kept record: its length, the index of its tracepoint, when, then its bytes. A fault's are
  // its values.
  private static final int HEAD = 16;
  private static final int FAULT = -1;

  private final ExitSink sink;
  private ByteBuffer kept = ByteBuffer.allocate(FIRST_ROOM).order(ByteOrder.LITTLE_ENDIAN);
  private final List<Tracepoint> known = new ArrayList<>();
  private final FieldValues fault = new FieldValues();
  private final byte[] instruction = new byte[INSTRUCTION];

  OtherEvents(ExitSink sink) {
    this.sink = sink;
  }

  /** Keeps a record for {@link #flush}; false where there is no room. */
  boolean keep(Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos) {
    if (!hasRoom(HEAD + length)) {
      return false;
    }
    int index = known.indexOf(tracepoint);
    if (index < 0) {
      index = known.size();
      known.add(tracepoint);
    }
    kept.putInt(length).putInt(index).putLong(nanos);
    kept.put(kept.position(), raw, at, length);
    kept.position(kept.position() + length);
    return true;
  }

  /** Keeps a fault on memory for {@link #flush}; false where there is no room. */
  boolean keep(FieldValues values) {
    int length = values.savedBytes();
    if (!hasRoom(HEAD + length)) {
      return false;
    }
    kept.putInt(length).putInt(FAULT).putLong(0);
    values.save(kept);
    return true;
  }

  /** Whether so many bytes fit in; makes more room as long as there may be. */
  private boolean hasRoom(int bytes) {
    while (kept.remaining() < bytes) {
      if (kept.capacity() == ROOM) {
        return false;
      }
      ByteBuffer larger = ByteBuffer.allocate(2 * kept.capacity()).order(ByteOrder.LITTLE_ENDIAN);
      kept = larger.put(kept.flip());
    }
    return true;
  }

  /** Writes what was kept. */
  void flush() {
    int end = kept.position();
    for (int at = 0; at < end; ) {
      int length = kept.getInt(at);
      int index = kept.getInt(at + 4);
      if (index == FAULT) {
        fault.load(kept, at + HEAD);
        write(fault);
      } else {
        write(known.get(index), kept, at + HEAD, length, kept.getLong(at + 8));
      }
      at += HEAD + length;
    }
    kept.clear();
  }

  /** Writes the event of a fault on memory. */
  void write(FieldValues values) {
    values.write(sink, EventType.EPT_FAULT);
  }

  /** Writes that records were lost. */
  void gap(long lost, long nanos) {
    begin(EventType.GAP, nanos).put(Field.CAUSE, LossCause.OVERRUN.code()).put(Field.LOST, lost);
    sink.commit();
  }

  /** Writes the event of a record. */
  void write(Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos) {
    if (tracepoint.kind() == null) {
      byte[] text = tracepoint.format().text(raw, at, length).getBytes(StandardCharsets.ISO_8859_1);
      begin(EventType.TRACEPOINT, nanos).putBytes(Field.DATA, text, 0, text.length);
      sink.commit();
      return;
    }
    switch (tracepoint.kind()) {
      case INJ_VIRQ -> {
        boolean soft = tracepoint.get(raw, at, 1) != 0;
        begin(EventType.INJECTION, nanos)
            .put(
                Field.INTERRUPTION_TYPE,
                soft ? InterruptionType.SOFTWARE_INTERRUPT : InterruptionType.EXTERNAL_INTERRUPT)
            .put(Field.VECTOR, tracepoint.get(raw, at, 0))
            .put(Field.REINJECTED, tracepoint.get(raw, at, 2) != 0);
      }
      case INJ_EXCEPTION -> {
        EventWriter event =
            begin(EventType.INJECTION, nanos)
                .put(Field.INTERRUPTION_TYPE, InterruptionType.HARDWARE_EXCEPTION)
                .put(Field.VECTOR, tracepoint.get(raw, at, 0))
                .put(Field.REINJECTED, tracepoint.get(raw, at, 3) != 0);
        if (tracepoint.get(raw, at, 1) != 0) {
          event.put(Field.ERROR_CODE, tracepoint.get(raw, at, 2));
        }
      }
      case SET_IRQ ->
          begin(EventType.IRQ_LINE, nanos)
              .put(Field.GSI, tracepoint.get(raw, at, 0))
              .put(Field.LEVEL, tracepoint.get(raw, at, 1))
              .put(Field.IRQ_SOURCE, tracepoint.get(raw, at, 2));
      case EOI ->
          begin(EventType.EOI, nanos)
              .put(Field.APIC_ID, tracepoint.get(raw, at, 0))
              .put(Field.VECTOR, tracepoint.get(raw, at, 1));
      case APIC ->
          begin(EventType.APIC_ACCESS, nanos)
              .put(Field.DIRECTION, tracepoint.get(raw, at, 0) != 0)
              .put(Field.APIC_REGISTER, tracepoint.get(raw, at, 1))
              .put(Field.VALUE, tracepoint.get(raw, at, 2));
      case HALT_POLL ->
          begin(EventType.HALT_POLL, nanos)
              .put(Field.POLL_TIME, tracepoint.get(raw, at, 0))
              .put(Field.OLD_POLL_TIME, tracepoint.get(raw, at, 1));
      case WAKEUP ->
          begin(EventType.WAKEUP, nanos)
              .put(Field.WAIT_TIME, tracepoint.get(raw, at, 0))
              .put(Field.WAITED, tracepoint.get(raw, at, 1) != 0);
      case SET_SPTE,
          SPTE_REQUESTED,
          SPTE_CHANGED,
          FAST_PAGE_FAULT,
          MMIO_PAGE_FAULT,
          MARK_MMIO,
          SPLIT,
          GET_TABLE,
          ZAP_TABLE ->
          mapping(tracepoint, raw, at, nanos);
      case EMULATE -> emulation(tracepoint, raw, at, nanos);
      case EXIT,
          ENTRY,
          USERSPACE_EXIT,
          PIO,
          MMIO,
          FAST_MMIO,
          MSR,
          CPUID,
          HYPERCALL,
          PAGE_FAULT,
          CR ->
          throw new IllegalArgumentException(tracepoint.kind() + " is part of an exit");
    }
    sink.commit();
  }

  private EventWriter begin(EventType type, long nanos) {
    return sink.claim(type).put(Field.TIME, nanos);
  }

  private void mapping(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    long gpa =
        tracepoint.has(0) ? tracepoint.get(raw, at, 0) << PAGE_SHIFT : tracepoint.get(raw, at, 1);
    EventWriter event =
        begin(EventType.MMU, nanos)
            .put(Field.MMU_ACTION, tracepoint.kind().action().code())
            .put(Field.GPA, gpa);
    put(event, Field.EPT_LEVEL, tracepoint, raw, at, 2);
    if (tracepoint.has(3)) {
      event.put(Field.EPT_LEVEL, tracepoint.get(raw, at, 3) & ROLE_LEVEL);
    }
    if (tracepoint.has(4)) {
      event.put(Field.HPA, tracepoint.get(raw, at, 4) << PAGE_SHIFT);
    }
    put(event, Field.OLD_ENTRY, tracepoint, raw, at, 5);
    put(event, Field.NEW_ENTRY, tracepoint, raw, at, 6);
    put(event, Field.ERROR_CODE, tracepoint, raw, at, 7);
    put(event, Field.OUTCOME, tracepoint, raw, at, 8);
    long entry = tracepoint.get(raw, at, 6);
    if ((entry & PRESENT_OR_READABLE) != 0) {
      event.put(Field.HPA, entry & ADDRESS);
    }
  }

  private static void put(
      EventWriter event, Field to, Tracepoint tracepoint, ByteBuffer raw, int at, int field) {
    if (tracepoint.has(field)) {
      event.put(to, tracepoint.get(raw, at, field));
    }
  }

  private void emulation(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    int length = tracepoint.bytes(raw, at, 3, instruction);
    length = (int) Math.min(length, tracepoint.get(raw, at, 2));
    begin(EventType.EMULATION, nanos)
        .put(Field.RIP, tracepoint.get(raw, at, 0))
        .put(Field.MODE, mode((int) tracepoint.get(raw, at, 4)).code())
        .put(Field.EMULATOR, Emulator.KVM.code())
        .put(Field.CODE_BASE, tracepoint.get(raw, at, 1))
        .put(Field.FAILED, tracepoint.get(raw, at, 5) != 0)
        .putBytes(Field.DATA, instruction, 0, length);
  }

  /** KVM_EMUL_INSN_F_*: bit 0 CR0.PE, 1 EFLAGS.VM, 2 CS.D, 3 CS.L. */
  private static CpuMode mode(int flags) {
    if ((flags & 1) == 0) {
      return CpuMode.REAL;
    }
    if ((flags & 2) != 0) {
      return CpuMode.VIRTUAL_8086;
    }
    if ((flags & 8) != 0) {
      return CpuMode.LONG;
    }
    return (flags & 4) != 0 ? CpuMode.PROTECTED_32 : CpuMode.PROTECTED_16;
  }
}
