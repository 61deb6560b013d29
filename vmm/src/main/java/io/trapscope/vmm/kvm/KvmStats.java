package io.trapscope.vmm.kvm;

import io.trapscope.recorder.event.Counter;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * KVM's own counters of a VM or a vCPU. What they are, KVM says itself: a header, a descriptor a
 * counter, then the values (Documentation/virt/kvm/api.rst, section 4.133).
 */
final class KvmStats implements AutoCloseable {
  /** More than any KVM has; a larger number is not believed. */
  private static final int MOST_BYTES = 1 << 20;

  private final String of;
  private final int fd;
  private final ByteBuffer header = LibC.allocate(KvmAbi.STATS_HEADER_BYTES);

  /**
   * Opens the counters.
   *
   * @param owner descriptor of the VM or the vCPU
   * @param of the counters' {@link Counter#of}
   * @throws HypervisorException where KVM refuses
   */
  KvmStats(KvmHypervisor kvm, int owner, String of) {
    this.of = of;
    fd = kvm.ioctl(owner, KvmAbi.KVM_GET_STATS_FD, 0, "KVM_GET_STATS_FD of " + of);
    try {
      read(header, 0);
    } catch (HypervisorException e) {
      LibC.close(fd);
      throw e;
    }
  }

  /** The counters as they are now; callable from any thread until closed. */
  List<Counter> read() {
    int descriptors =
        header.getInt(KvmAbi.STATS_COUNT)
            * (KvmAbi.STATS_DESC_NAME + header.getInt(KvmAbi.STATS_NAME_SIZE));
    ByteBuffer table = LibC.allocate(bounded(descriptors));
    read(table, header.getInt(KvmAbi.STATS_DESC_OFFSET));
    ByteBuffer values = LibC.allocate(bounded(dataBytes(header, table)));
    read(values, header.getInt(KvmAbi.STATS_DATA_OFFSET));
    return decode(of, header, table, values);
  }

  private static int bounded(int bytes) {
    if (bytes < 0 || bytes > MOST_BYTES) {
      throw new HypervisorException("KVM's counters are said to take " + bytes + " bytes");
    }
    return bytes;
  }

  private void read(ByteBuffer to, long at) {
    LibC.check(
        LibC.pread(fd, LibC.address(to), to.capacity(), at), "reading KVM's counters of " + of);
  }

  /** How many bytes of values the descriptors speak of. */
  private static int dataBytes(ByteBuffer header, ByteBuffer table) {
    int end = 0;
    int step = KvmAbi.STATS_DESC_NAME + header.getInt(KvmAbi.STATS_NAME_SIZE);
    for (int i = 0; i < header.getInt(KvmAbi.STATS_COUNT); i++) {
      int at = i * step;
      int count = table.getShort(at + KvmAbi.STATS_DESC_SIZE) & 0xffff;
      end = Math.max(end, table.getInt(at + KvmAbi.STATS_DESC_DATA) + 8 * count);
    }
    return end;
  }

  /**
   * Decodes counters; those of a kind that this version does not know are left out.
   *
   * @param header {@code struct kvm_stats_header}
   * @param table the descriptors, {@code struct kvm_stats_desc} each
   * @param values the block of values
   */
  static List<Counter> decode(String of, ByteBuffer header, ByteBuffer table, ByteBuffer values) {
    List<Counter> counters = new ArrayList<>();
    int nameSize = header.getInt(KvmAbi.STATS_NAME_SIZE);
    for (int i = 0; i < header.getInt(KvmAbi.STATS_COUNT); i++) {
      int at = i * (KvmAbi.STATS_DESC_NAME + nameSize);
      int flags = table.getInt(at);
      int kind = flags & KvmAbi.STATS_FIELD_MASK;
      int unit = flags >>> KvmAbi.STATS_UNIT_SHIFT & KvmAbi.STATS_FIELD_MASK;
      if (kind >= Counter.Kind.values().length || unit >= Counter.Unit.values().length) {
        continue;
      }
      byte[] name = new byte[nameSize];
      table.get(at + KvmAbi.STATS_DESC_NAME, name);
      List<Long> own = new ArrayList<>();
      for (int v = 0; v < (table.getShort(at + KvmAbi.STATS_DESC_SIZE) & 0xffff); v++) {
        own.add(values.getLong(table.getInt(at + KvmAbi.STATS_DESC_DATA) + 8 * v));
      }
      counters.add(
          new Counter(
              of,
              text(name),
              Counter.Kind.values()[kind],
              Counter.Unit.values()[unit],
              (flags >>> KvmAbi.STATS_BASE_SHIFT & KvmAbi.STATS_FIELD_MASK) == 0 ? 10 : 2,
              table.getShort(at + KvmAbi.STATS_DESC_EXPONENT),
              table.getInt(at + KvmAbi.STATS_DESC_BUCKET) & 0xffff_ffffL,
              own));
    }
    return counters;
  }

  private static String text(byte[] terminated) {
    int end = 0;
    while (end < terminated.length && terminated[end] != 0) {
      end++;
    }
    return new String(terminated, 0, end, StandardCharsets.US_ASCII);
  }

  @Override
  public void close() {
    LibC.close(fd);
  }
}
