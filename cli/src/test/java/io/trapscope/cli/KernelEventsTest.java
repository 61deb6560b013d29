package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.cli.KernelEvents.Wanted;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.tracepoint.EventSelection;
import io.trapscope.vmm.guests.HostKind;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the summary says where the kernel's tracepoints are not recorded. */
class KernelEventsTest {

  private static TraceHeader header(HostKind host, String why) {
    TraceHeader.Builder header = TraceHeader.builder();
    new KernelEvents(null, why)
        .describe(header, host, EventSelection.DEFAULT, Set.of(ExitReason.HLT), Map.of());
    return header.build();
  }

  private static EventPlan plan(Wanted wanted) {
    return new EventPlan(EventSelection.DEFAULT, wanted, 1 << 20, 0);
  }

  @Test
  void whatTheHostForbidsIsSaidAndWhatNobodyWantedIsNot() {
    TraceHeader refused = header(HostKind.KVM, "none: tracefs is for root; run as root");
    assertThat(KernelEvents.refusal(refused, plan(Wanted.AUTO)))
        .contains("none: tracefs is for root; run as root");
    assertThat(KernelEvents.refusal(refused, plan(Wanted.NO))).isEmpty();
    TraceHeader soft = header(HostKind.SOFT, "none: the guest does not run on KVM");
    assertThat(KernelEvents.refusal(soft, plan(Wanted.AUTO))).isEmpty();
    TraceHeader seen = header(HostKind.KVM, "kvm_exit, kvm_entry");
    assertThat(KernelEvents.refusal(seen, plan(Wanted.AUTO))).isEmpty();
    EventSelection nothing = new EventSelection(Set.of(), Set.of(), Set.of());
    assertThatThrownBy(() -> KernelEvents.choose(Wanted.YES, HostKind.KVM, nothing, 1 << 20))
        .isInstanceOf(UserError.class)
        .hasMessageContaining("--kernel-events yes: --events and --exclude leave none");
    KernelEvents none = KernelEvents.choose(Wanted.AUTO, HostKind.KVM, nothing, 1 << 20);
    assertThat(KernelEvents.refusal(header(HostKind.KVM, none.why()), plan(Wanted.AUTO))).isEmpty();
  }
}
