package io.trapscope.cli.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostProcessesTest {
  @TempDir private Path proc;

  @BeforeEach
  void twoProcesses() throws IOException {
    process(100, "qemu-system-x86", "bin/qemu-system-x86_64", "S (sleeping)");
    process(300, "firecracker", "bin/firecracker", "Z (zombie)");
    file("101/status", "Name:\tCPU 0/KVM\nState:\tR (running)\nTgid:\t100\nPid:\t101\n");
    file("100/task/101/comm", "CPU 0/KVM\n");
  }

  private void process(int pid, String name, String program, String state) throws IOException {
    file(pid + "/comm", name + "\n");
    file(pid + "/status", "Name:\t" + name + "\nState:\t" + state + "\nTgid:\t" + pid + "\n");
    file(program, "");
    Files.createSymbolicLink(proc.resolve(pid + "/exe"), proc.resolve(program));
  }

  private void file(String name, String text) throws IOException {
    Path file = proc.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private HostProcesses chosen(Set<Integer> pids, Set<String> names) {
    return new HostProcesses(proc, pids, names);
  }

  @Test
  void byNumberByNameByProgramOrAll() {
    assertThat(chosen(Set.of(100), Set.of()).isWanted(100)).isTrue();
    assertThat(chosen(Set.of(100), Set.of()).isWanted(300)).isFalse();
    assertThat(chosen(Set.of(), Set.of("qemu-system-x86")).isWanted(100)).isTrue();
    assertThat(chosen(Set.of(), Set.of("qemu-system-x86_64")).isWanted(100)).isTrue();
    assertThat(chosen(Set.of(), Set.of("qemu-system-x86_64")).isWanted(300)).isFalse();
    assertThat(chosen(Set.of(), Set.of()).isWanted(300)).isTrue();
    assertThat(chosen(Set.of(), Set.of("nobody")).isWanted(9999)).isFalse();
    assertThat(chosen(Set.of(), Set.of("nobody")).isUnknown(9999)).isTrue();
    assertThat(chosen(Set.of(), Set.of("nobody")).isUnknown(300)).isFalse();
    assertThat(chosen(Set.of(100), Set.of()).isUnknown(9999)).isFalse();
  }

  @Test
  void whoHasAVm() throws IOException {
    file("300/fd/0", "");
    assertThat(chosen(Set.of(), Set.of()).haveVm()).isFalse();
    Files.createDirectories(proc.resolve("100/fd"));
    Files.createSymbolicLink(proc.resolve("100/fd/7"), Path.of("anon_inode:kvm-vm"));
    assertThat(chosen(Set.of(), Set.of()).haveVm()).isTrue();
    assertThat(chosen(Set.of(100), Set.of()).haveVm()).isTrue();
    assertThat(chosen(Set.of(300), Set.of()).haveVm()).isFalse();
    assertThat(chosen(Set.of(), Set.of("firecracker")).haveVm()).isFalse();
  }

  @Test
  void namesAndThreads() {
    HostProcesses all = chosen(Set.of(), Set.of());
    assertThat(all.processOf(101)).isEqualTo(100);
    assertThat(all.processOf(100)).isEqualTo(100);
    assertThat(all.processOf(9999)).isEqualTo(-1);
    assertThat(all.process(100)).isEqualTo("qemu-system-x86");
    assertThat(all.thread(100, 101)).isEqualTo("CPU 0/KVM");
    assertThat(all.thread(100, 102)).isEmpty();
    assertThat(all.isAlive(100)).isTrue();
    assertThat(all.isAlive(300)).isFalse();
    assertThat(all.isAlive(9999)).isFalse();
  }
}
