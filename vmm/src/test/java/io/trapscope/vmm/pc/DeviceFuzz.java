package io.trapscope.vmm.pc;

import io.trapscope.vmm.boot.FlatLoader;
import io.trapscope.vmm.run.Machine;
import io.trapscope.vmm.run.MachineConfig;
import io.trapscope.vmm.run.RunResult;
import io.trapscope.vmm.run.Sinks;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.HexFormat;

/**
 * A guest that accesses devices at random: ports of every device and some of none, and the pages of
 * local APIC, I/O APIC, virtio-mmio and the test device, with every size, reading and writing. It
 * ends when it has made its number of accesses, or when one of them resets or powers off the
 * machine.
 *
 * <p>The guest (long mode, at 0x10000): RBX is a xorshift generator (13, 7, 17) that starts with
 * the seed behind the code. Each round takes a port from 32 base ports (bits 44:40) plus bits 10:8,
 * an address from four pages (bits 49:48) plus bits 10:3, and one of sixteen instructions (bits
 * 63:60): IN and OUT of 1, 2 and 4 bytes, MOV from and to memory of 1, 2, 4 and 8. R12 counts down
 * the number of rounds behind the seed; then OUT to 0xf4.
 */
final class DeviceFuzz {
  private static final long CODE = 0x10000;
  private static final String GUEST =
      "488b1d690100004c8b256a0100004c8d050b0100004c8d0d440100004889d848c1e00d4831c34889d848c1e8"
          + "074831c34889d848c1e0114831c34889d848c1e82883e01f410fb7144089d8c1e80883e00701c24889d848c1"
          + "e83083e003418b3c8189d825f80f00004801c74889d948c1e93c4889d848c1c814488d350d000000488d0ccd"
          + "000000004801ceffe6eceb7d909090909066edeb7490909090edeb6d9090909090eeeb65909090909066efeb"
          + "5c90909090efeb559090909090eeeb4d9090909090eceb4590909090908a07eb3c90909090668b07eb339090"
          + "908b07eb2c90909090488b07eb239090908807eb1c90909090668907eb139090908907eb0c90909090488907"
          + "eb0390909049ffcc0f8506ffffffbaf4000000eef490909020002100a0004000430060006100640070007100"
          + "80009200e900f803f903fa03fb03fc03f802f80cfc0cd00400b004b008b01005f001d403b200c0000000f8ff"
          + "0000e0fe0000c0fe000000d0000000e0";

  /** Host time after which a guest that does not end by itself is given up. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private DeviceFuzz() {}

  /** Runs one guest of up to {@code accesses} accesses; throws what a machine must not throw. */
  static RunResult run(long seed, long accesses) {
    byte[] code = HexFormat.of().parseHex(GUEST);
    byte[] image = new byte[code.length + 16];
    ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(code).putLong(seed == 0 ? 1 : seed).putLong(accesses);
    FlatLoader guest = new FlatLoader("fuzz", image, CODE, CODE, FlatLoader.Mode.LONG, "");
    MachineConfig config =
        MachineConfig.builder(new SoftHypervisor(), guest)
            .memory(2 << 20)
            .board(PcBoard::new)
            .timeout(LIMIT)
            .build();
    try (Machine machine = new Machine(config)) {
      return machine.run(Sinks.NONE);
    }
  }

  /** {@code N [SEED]}: guests with seeds from SEED on, until N accesses have been made. */
  public static void main(String[] args) {
    long total = Long.parseLong(args[0]);
    long seed = args.length > 1 ? Long.parseLong(args[1]) : System.nanoTime();
    System.out.println("seeds from " + seed);
    long exits = 0;
    long guests = 0;
    while (exits < total) {
      RunResult result = run(seed + guests, total - exits);
      guests++;
      exits += result.exits();
      if (!result.isNormal()) {
        System.out.println("seed " + (seed + guests - 1) + ": " + result.text());
        System.exit(1);
      }
    }
    System.out.println(exits + " accesses by " + guests + " guests, no host exception");
  }
}
