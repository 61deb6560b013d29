package io.trapscope.analyzer.platform;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.trace.TraceHeader;
import org.junit.jupiter.api.Test;

class PlatformTest {
  private static Platform platform(String map) {
    TraceHeader.Builder header = TraceHeader.builder().product("test").backEnd("soft", "test");
    return Platform.of((map == null ? header : header.note("regions", map)).build());
  }

  @Test
  void aDeviceIsTheOneThatTheTracesMapHasThere() {
    Platform platform =
        platform(
            """
            address-space: memory
              00000000fed00000-00000000fed00fff (device): virtio2
            address-space: I/O
              02f8-02ff (device): uart1
              0600-060f (device): port-scratch
            """);
    assertThat(platform.device(EventType.PIO, 0x2fd)).isEqualTo("uart1");
    assertThat(platform.register(EventType.PIO, 0x2fd)).isEqualTo("LSR");
    assertThat(platform.role(EventType.PIO, 0x2fd)).isEqualTo(Role.STATUS);
    assertThat(platform.device(EventType.MMIO, 0xfed0_0050L)).isEqualTo("virtio2");
    assertThat(platform.register(EventType.MMIO, 0xfed0_0050L)).isEqualTo("QueueNotify");
    assertThat(platform.register(EventType.PIO, 0x602)).isEqualTo("+0x2");
    assertThat(platform.role(EventType.PIO, 0x602)).isEqualTo(Role.UNKNOWN);
    assertThat(platform.device(EventType.PIO, 0x3f8)).isEqualTo("uart (absent)");
    assertThat(platform.device(EventType.PIO, 0x5678)).isNull();
    assertThat(platform.register(EventType.PIO, 0x5678)).isNull();
  }

  @Test
  void withoutAMapItIsTheOneThatEveryPcHas() {
    Platform platform = platform(null);
    assertThat(platform.device(EventType.PIO, 0x3f9)).isEqualTo("uart");
    assertThat(platform.device(EventType.MMIO, 0xfee0_00b0L)).isEqualTo("lapic");
    assertThat(platform.register(EventType.MMIO, 0xfee0_00b0L)).isEqualTo("EOI");
  }

  @Test
  void numbersThatAreNoAddressesHaveNamesToo() {
    Platform platform = platform(null);
    assertThat(platform.register(EventType.MSR, 0xc000_0080L)).isEqualTo("IA32_EFER");
    assertThat(platform.register(EventType.CPUID, 7L << 32 | 1)).isEqualTo("extended-features");
    assertThat(platform.register(EventType.HYPERCALL, 10)).isEqualTo("KVM_HC_SEND_IPI");
    assertThat(platform.device(EventType.MSR, 0x1234)).isEqualTo("msr");
    assertThat(platform.register(EventType.MSR, 0x1234)).isNull();
    assertThat(platform.device(EventType.HLT, 0)).isNull();
  }
}
