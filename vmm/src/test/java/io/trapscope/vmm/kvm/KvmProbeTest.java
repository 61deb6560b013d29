package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KvmProbeTest {
  @TempDir Path root;

  private KvmProbe.Host host(String os, String device, String flags, String... modules)
      throws IOException {
    Path cpuinfo = root.resolve("cpuinfo");
    Files.writeString(cpuinfo, "processor\t: 0\nflags\t\t: fpu " + flags + " sse2\n");
    for (String module : modules) {
      Files.createDirectories(root.resolve("module").resolve(module));
    }
    return new KvmProbe.Host(os, "amd64", Path.of(device), root.resolve("module"), cpuinfo);
  }

  @Test
  void otherSystemsHaveNoKvm() throws IOException {
    KvmProbe probe = KvmProbe.probe(host("Mac OS X", "/dev/kvm", "vmx"));
    assertThat(probe.status()).isEqualTo(KvmProbe.Status.WRONG_PLATFORM);
    assertThat(probe.usable()).isFalse();
    assertThat(probe.preferred()).isFalse();
    assertThat(probe.explanation()).contains("Mac OS X");
  }

  @Test
  void anAbsentDeviceTellsWhatItWouldTake() throws IOException {
    String nowhere = root.resolve("kvm").toString();
    KvmProbe able = KvmProbe.probe(host("Linux", nowhere, "vmx"));
    assertThat(able.status()).isEqualTo(KvmProbe.Status.ABSENT);
    assertThat(able.explanation()).contains(nowhere).contains("modprobe");
    KvmProbe unable = KvmProbe.probe(host("Linux", nowhere, "mmx"));
    assertThat(unable.explanation()).contains("neither vmx nor svm");
    assertThat(unable.present()).isEmpty();
  }

  @Test
  void aMissingCpuinfoIsNoObstacle() {
    Path nowhere = root.resolve("nothing");
    KvmProbe probe = KvmProbe.probe(new KvmProbe.Host("Linux", "amd64", nowhere, nowhere, nowhere));
    assertThat(probe.status()).isEqualTo(KvmProbe.Status.ABSENT);
  }

  @Test
  void aFileThatIsNotKvmIsBroken() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/null")), "no /dev/null here: not a Unix");
    assumeTrue(System.getProperty("os.name").equals("Linux"), "opens a device as on Linux");
    KvmProbe probe = KvmProbe.probe(host("Linux", "/dev/null", "vmx"));
    assertThat(probe.status()).isEqualTo(KvmProbe.Status.BROKEN);
    assertThat(probe.explanation()).contains("does not answer as KVM");
  }

  @Test
  void hardwareIsPreferredAndAParavirtualKvmIsNot() throws IOException {
    KvmGuest.assumeKvm();
    KvmProbe intel = KvmProbe.probe(host("Linux", "/dev/kvm", "vmx", "kvm", "kvm_intel"));
    assertThat(intel.acceleration()).isEqualTo(KvmProbe.Acceleration.HARDWARE);
    assertThat(intel.preferred()).isTrue();
    assertThat(intel.apiVersion()).isEqualTo(12);
    assertThat(intel.present()).contains("KVM_CAP_USER_MEMORY");
  }

  @Test
  void aModuleWithoutTheProcessorsFlagIsNotHardware() throws IOException {
    KvmGuest.assumeKvm();
    KvmProbe stale =
        KvmProbe.probe(host("Linux", "/dev/kvm", "mmx", "kvm_intel", "kvm_amd", "kvm_pvm"));
    assertThat(stale.acceleration()).isEqualTo(KvmProbe.Acceleration.PARAVIRTUAL);
    assertThat(stale.usable()).isTrue();
    assertThat(stale.preferred()).isFalse();
    assertThat(stale.explanation()).contains("interpreted");
  }

  @Test
  void thisHostGetsAReportWhateverItIs() {
    KvmProbe probe = KvmProbe.probe();
    assertThat(probe.reason()).isNotBlank();
    assertThat(probe.usable()).isEqualTo(probe.apiVersion() == 12);
  }
}
