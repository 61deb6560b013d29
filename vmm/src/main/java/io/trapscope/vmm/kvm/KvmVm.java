package io.trapscope.vmm.kvm;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.cpuid.CpuModel;
import io.trapscope.vmm.host.KickSignal;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.DirtyPages;
import io.trapscope.vmm.hypervisor.FaultHandler;
import io.trapscope.vmm.hypervisor.HostInterrupts;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.IrqChip;
import io.trapscope.vmm.hypervisor.MemoryOptions.Dirty;
import io.trapscope.vmm.hypervisor.NestedWalk;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** One KVM machine: a memslot a RAM region, and its vCPUs. */
final class KvmVm implements Vm {
  private static final Map<IrqChip, String> IRQCHIP_NOTES =
      Map.of(
          IrqChip.KERNEL,
          "in KVM, with the interval timer: accesses to them, interrupts and HLT do not exit",
          IrqChip.SPLIT,
          "local APICs in KVM: accesses to them and HLT do not exit",
          IrqChip.USER,
          "our own: accesses to them, interrupts and HLT exit");

  private final int fd;
  private final KvmHypervisor hypervisor;
  private final int kickSignal;
  private final long origin = System.nanoTime();
  private final HostOptions options;
  private final KvmMemory memory;
  private final List<KvmVcpu> vcpus = new ArrayList<>();
  private final List<KvmStats> stats = new ArrayList<>();
  private final DeadlineTimer timer;
  private final boolean msrsExit;
  private final boolean syncRegs;
  private final Map<String, String> notes = new LinkedHashMap<>();
  private final IrqChip irqchip;
  private final CpuModel cpuModel;
  private KvmInterrupts interrupts;
  private UserFaults faults;
  private final Dirty dirty;
  private DirtyLog dirtyLog;
  private final List<DirtyRing> dirtyRings = new ArrayList<>();
  private HaltWatch haltWatch;
  private volatile boolean endsAtRest;
  private boolean closed;

  /**
   * Makes the machine; what was made until a step failed is undone.
   *
   * @throws HypervisorException where the host refuses a step
   */
  KvmVm(KvmHypervisor hypervisor, VmConfig config) {
    this.hypervisor = hypervisor;
    options = config.host();
    irqchip = resolved(options.irqchip());
    dirty = resolved(options.memory().dirty());
    cpuModel = KvmCpuid.model(config.cpuModel());
    memory = new KvmMemory(options.memory());
    if (config.cpus() < 1 || config.cpus() > hypervisor.capability(KvmAbi.KVM_CAP_MAX_VCPUS)) {
      throw new HypervisorException(
          config.cpus()
              + " vCPUs: this KVM takes 1 to "
              + hypervisor.capability(KvmAbi.KVM_CAP_MAX_VCPUS));
    }
    List<MemoryRegion> ram = MemoryLayout.ram(config.memoryBytes());
    kickSignal = KickSignal.install();
    msrsExit = has(KvmAbi.KVM_CAP_X86_USER_SPACE_MSR) && has(KvmAbi.KVM_CAP_X86_MSR_FILTER);
    syncRegs = has(KvmAbi.KVM_CAP_SYNC_REGS);
    fd = hypervisor.ioctl(hypervisor.fd(), KvmAbi.KVM_CREATE_VM, 0, "KVM_CREATE_VM");
    timer =
        new DeadlineTimer(Collections.unmodifiableList(vcpus), () -> System.nanoTime() - origin);
    try {
      setUp(ram, config.cpus());
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void setUp(List<MemoryRegion> ram, int cpus) {
    ByteBuffer identityMap = LibC.allocate(8).putLong(0, MemoryLayout.KVM_IDENTITY_MAP);
    ioctl(KvmAbi.KVM_SET_IDENTITY_MAP_ADDR, LibC.address(identityMap), "KVM_SET_IDENTITY_MAP_ADDR");
    ioctl(KvmAbi.KVM_SET_TSS_ADDR, MemoryLayout.KVM_TSS, "KVM_SET_TSS_ADDR");
    if (irqchip != IrqChip.USER) {
      interrupts = new KvmInterrupts(hypervisor, fd, irqchip == IrqChip.KERNEL);
    }
    notes.put("irqchip", IRQCHIP_NOTES.get(irqchip));
    if (msrsExit) {
      letMsrsExit();
    }
    if (has(KvmAbi.KVM_CAP_EXIT_HYPERCALL)) {
      int offered = hypervisor.capability(KvmAbi.KVM_CAP_EXIT_HYPERCALL);
      enable(KvmAbi.KVM_CAP_EXIT_HYPERCALL, offered, "KVM_CAP_EXIT_HYPERCALL");
    }
    for (MemoryRegion region : ram) {
      addSlot(memory.map(region.base(), region.length()));
    }
    if (options.memory().faults()) {
      watchFaults(cpus == 1 ? 0 : -1);
    }
    int ringBytes = trackWrites();
    ByteBuffer cpuid = KvmCpuid.supported(hypervisor);
    KvmCpuid.forInterrupts(cpuid, irqchip != IrqChip.USER);
    if (cpuModel != null) {
      KvmCpuid.limit(cpuid, cpuModel);
    }
    int pageBytes =
        hypervisor.ioctl(
            hypervisor.fd(), KvmAbi.KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");
    for (int i = 0; i < cpus; i++) {
      vcpus.add(createVcpu(i, pageBytes, cpuid));
    }
    if (dirty == Dirty.RING) {
      for (KvmVcpu vcpu : vcpus) {
        dirtyRings.add(DirtyRing.map(vcpu.fd(), ringBytes, memory.slots(), this::resetRings));
      }
    }
    setTscRate();
    if (options.memory().prefault()) {
      prefault();
    }
    if (has(KvmAbi.KVM_CAP_BINARY_STATS_FD)) {
      stats.add(new KvmStats(hypervisor, fd, "vm"));
      for (KvmVcpu vcpu : vcpus) {
        stats.add(new KvmStats(hypervisor, vcpu.fd(), "vcpu-" + vcpu.index()));
      }
    }
  }

  /**
   * Where the interrupt controllers will be.
   *
   * @throws HypervisorException where KVM does not have those that were asked for
   */
  private IrqChip resolved(IrqChip wanted) {
    boolean kernel = has(KvmAbi.KVM_CAP_IRQCHIP) && has(KvmAbi.KVM_CAP_PIT2);
    boolean offered =
        switch (wanted) {
          case AUTO, USER -> true;
          case KERNEL -> kernel;
          case SPLIT -> has(KvmAbi.KVM_CAP_SPLIT_IRQCHIP);
        };
    if (!offered) {
      throw new HypervisorException(
          "this KVM does not have these interrupt controllers; take --irqchip user");
    }
    return wanted != IrqChip.AUTO ? wanted : kernel ? IrqChip.KERNEL : IrqChip.USER;
  }

  /**
   * How writes will be tracked. A KVM that interprets the guest's kernel puts every write of it
   * into the ring, not each page once; there the log is the better one.
   *
   * @throws HypervisorException where KVM does not have what was asked for
   */
  private Dirty resolved(Dirty wanted) {
    boolean offered = hypervisor.capability(ringCapability()) > 0;
    if (wanted == Dirty.RING && !offered) {
      throw new HypervisorException("this KVM has no dirty ring (Linux 5.11); take --dirty=log");
    }
    if (wanted != Dirty.AUTO) {
      return wanted;
    }
    return offered && !hypervisor.paravirtual() ? Dirty.RING : Dirty.LOG;
  }

  /** The younger one asks user space to order its accesses, which it does for both. */
  private int ringCapability() {
    return has(KvmAbi.KVM_CAP_DIRTY_LOG_RING_ACQ_REL)
        ? KvmAbi.KVM_CAP_DIRTY_LOG_RING_ACQ_REL
        : KvmAbi.KVM_CAP_DIRTY_LOG_RING;
  }

  /** Has writes tracked as resolved; returns the bytes of a vCPU's ring, 0 for none. */
  private int trackWrites() {
    switch (dirty) {
      case NONE, AUTO -> {}
      case LOG -> {
        dirtyLog = new DirtyLog(hypervisor, fd, memory.slots());
        notes.put("dirty", "from KVM's dirty log: writes of the guest, not of the VMM");
      }
      case RING -> {
        int bytes = DirtyRing.bytes(hypervisor.capability(ringCapability()));
        enable(ringCapability(), bytes, "KVM_CAP_DIRTY_LOG_RING");
        notes.put("dirty", "from KVM's dirty rings: writes of each vCPU, not of the VMM");
        return bytes;
      }
    }
    return 0;
  }

  private void resetRings() {
    ioctl(KvmAbi.KVM_RESET_DIRTY_RINGS, 0, "KVM_RESET_DIRTY_RINGS");
  }

  private void setTscRate() {
    long wanted = options.tscKhz();
    long khz = tscKhz();
    if (wanted > 0 && wanted != khz) {
      if (!has(KvmAbi.KVM_CAP_TSC_CONTROL)) {
        throw new HypervisorException(
            "this host cannot give guests a time-stamp counter of another rate"
                + (khz > 0 ? " than its own " + khz + " kHz" : "")
                + " (KVM_CAP_TSC_CONTROL)");
      }
      for (KvmVcpu vcpu : vcpus) {
        hypervisor.ioctl(vcpu.fd(), KvmAbi.KVM_SET_TSC_KHZ, wanted, "KVM_SET_TSC_KHZ");
      }
      khz = tscKhz();
    }
    if (khz > 0) {
      notes.put("tsc_khz", Long.toString(khz));
    }
  }

  /** Rate of the guest's time-stamp counter; 0 or less where KVM does not tell. */
  private long tscKhz() {
    return has(KvmAbi.KVM_CAP_GET_TSC_KHZ)
        ? hypervisor.tryIoctl(vcpus.get(0).fd(), KvmAbi.KVM_GET_TSC_KHZ, 0)
        : 0;
  }

  private void watchFaults(int vcpuOfWorkers) {
    faults = new UserFaults(hypervisor, memory, this::vcpuOfThread, vcpuOfWorkers);
    notes.put(
        "faults",
        "from userfaultfd: the first touch of each page of 4 KiB by the guest, or by KVM for it"
            + (faults.seesMinor() ? "" : ", pages that the VMM has written left out")
            + "; a fetch counts as a read; the guest time of the next exit holds the fault's; of a"
            + " fault that a worker of the kernel takes (KVM's asynchronous page faults, never with"
            + " --irqchip user) the access is not known, nor which of several vCPUs it is for");
  }

  private int vcpuOfThread(int thread) {
    for (KvmVcpu vcpu : vcpus) {
      if (vcpu.isRunBy(thread)) {
        return vcpu.index();
      }
    }
    return -1;
  }

  private void prefault() {
    long start = System.nanoTime();
    memory.populate();
    boolean mapped = has(KvmAbi.KVM_CAP_PRE_FAULT_MEMORY);
    if (mapped) {
      memory.slots().forEach(this::mapAll);
    }
    notes.put(
        "prefault",
        (mapped
                ? "all guest memory backed and mapped by KVM_PRE_FAULT_MEMORY"
                : "all guest memory backed by the host; this KVM lacks KVM_PRE_FAULT_MEMORY (Linux"
                    + " 6.11), so it maps each page at its first touch")
            + ", in "
            + TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start)
            + " us");
  }

  private void mapAll(KvmMemory.Slot slot) {
    ByteBuffer range = LibC.allocate(KvmAbi.PRE_FAULT_BYTES);
    range.putLong(KvmAbi.PRE_FAULT_GPA, slot.gpa());
    range.putLong(KvmAbi.PRE_FAULT_SIZE, slot.bytes());
    while (range.getLong(KvmAbi.PRE_FAULT_SIZE) > 0) {
      int result =
          hypervisor.tryIoctl(vcpus.get(0).fd(), KvmAbi.KVM_PRE_FAULT_MEMORY, LibC.address(range));
      if (result < 0 && result != -LibC.EINTR && result != -LibC.EAGAIN) {
        throw LibC.failure("KVM_PRE_FAULT_MEMORY of slot " + slot.number(), -result);
      }
    }
  }

  private void enable(int capability, long argument, String name) {
    ByteBuffer cap = LibC.allocate(KvmAbi.ENABLE_CAP_BYTES);
    cap.putInt(KvmAbi.ENABLE_CAP_CAP, capability).putLong(KvmAbi.ENABLE_CAP_ARG0, argument);
    ioctl(KvmAbi.KVM_ENABLE_CAP, LibC.address(cap), "KVM_ENABLE_CAP of " + name);
  }

  private void letMsrsExit() {
    enable(
        KvmAbi.KVM_CAP_X86_USER_SPACE_MSR,
        KvmAbi.KVM_MSR_EXIT_REASON_INVAL
            | KvmAbi.KVM_MSR_EXIT_REASON_UNKNOWN
            | KvmAbi.KVM_MSR_EXIT_REASON_FILTER,
        "KVM_CAP_X86_USER_SPACE_MSR");
    ByteBuffer filter = LibC.allocate(KvmAbi.MSR_FILTER_BYTES);
    ByteBuffer bitmap = LibC.allocate(8);
    KvmMsrs.denyAll(filter, bitmap);
    ioctl(KvmAbi.KVM_X86_SET_MSR_FILTER, LibC.address(filter), "KVM_X86_SET_MSR_FILTER");
    Reference.reachabilityFence(bitmap);
  }

  private void addSlot(KvmMemory.Slot slot) {
    ByteBuffer region = LibC.allocate(KvmAbi.MEMORY_REGION_BYTES);
    region.putInt(KvmAbi.MEMORY_REGION_SLOT, slot.number());
    region.putInt(
        KvmAbi.MEMORY_REGION_FLAGS, dirty != Dirty.NONE ? KvmAbi.KVM_MEM_LOG_DIRTY_PAGES : 0);
    region.putLong(KvmAbi.MEMORY_REGION_GPA, slot.gpa());
    region.putLong(KvmAbi.MEMORY_REGION_SIZE, slot.bytes());
    region.putLong(KvmAbi.MEMORY_REGION_HVA, slot.hva());
    ioctl(
        KvmAbi.KVM_SET_USER_MEMORY_REGION,
        LibC.address(region),
        "KVM_SET_USER_MEMORY_REGION of slot " + slot.number());
  }

  private KvmVcpu createVcpu(int index, int pageBytes, ByteBuffer cpuid) {
    int vcpu = ioctl(KvmAbi.KVM_CREATE_VCPU, index, "KVM_CREATE_VCPU " + index);
    try {
      KvmCpuid.forVcpu(cpuid, index);
      hypervisor.ioctl(vcpu, KvmAbi.KVM_SET_CPUID2, LibC.address(cpuid), "KVM_SET_CPUID2");
      long page =
          LibC.check(
              LibC.mmap(0, pageBytes, LibC.PROT_READ_WRITE, LibC.MAP_SHARED, vcpu, 0),
              "mapping vCPU " + index);
      return new KvmVcpu(this, index, vcpu, page, pageBytes);
    } catch (RuntimeException e) {
      LibC.close(vcpu);
      throw e;
    }
  }

  private int ioctl(long request, long argument, String step) {
    return hypervisor.ioctl(fd, request, argument, step);
  }

  KvmHypervisor hypervisor() {
    return hypervisor;
  }

  private boolean has(int capability) {
    return hypervisor.capability(capability) > 0;
  }

  /** Host monotonic time at which guest time is 0. */
  long origin() {
    return origin;
  }

  int kickSignal() {
    return kickSignal;
  }

  DeadlineTimer timer() {
    return timer;
  }

  /** Whether KVM puts a vCPU's registers in the shared page at each exit. */
  boolean syncRegs() {
    return syncRegs;
  }

  /** Whether accesses to MSRs come to user space. */
  boolean msrsExit() {
    return msrsExit;
  }

  @Override
  public GuestMemory memory() {
    return memory;
  }

  @Override
  public List<Vcpu> vcpus() {
    return List.copyOf(vcpus);
  }

  /** Asked for where faults are watched; all others KVM resolves itself. */
  @Override
  public boolean resolveEptViolation(VmExit exit) {
    if (faults == null) {
      return false;
    }
    faults.resolve(exit);
    return true;
  }

  @Override
  public void onFault(FaultHandler handler) {
    if (faults != null) {
      faults.onFault(handler);
    }
  }

  @Override
  public void dirtyPages(int vcpu, DirtyPages to) {
    if (tellsWritersApart()) {
      dirtyRings.get(vcpu).read(to);
    } else if (dirtyLog != null) {
      dirtyLog.read(to);
    }
  }

  @Override
  public boolean tellsWritersApart() {
    return !dirtyRings.isEmpty();
  }

  @Override
  public HostInterrupts interrupts() {
    return interrupts;
  }

  @Override
  public void onRest(Resting action) {
    if (irqchip != IrqChip.USER && haltWatch == null) {
      haltWatch =
          new HaltWatch(
              vcpus,
              interrupts::timerRuns,
              forGood -> {
                Runnable end = action.rest(forGood);
                if (end != null) {
                  endsAtRest = true;
                  end.run();
                }
              });
    }
  }

  /** Whether the run ends because no vCPU goes on. */
  boolean endsAtRest() {
    return endsAtRest;
  }

  /** The CPU of the host for a vCPU, by its number. */
  Map<Integer, Integer> pins() {
    return options.pins();
  }

  @Override
  public Map<String, String> notes() {
    return Collections.unmodifiableMap(notes);
  }

  /** The memslot; KVM's own tables cannot be seen from here. */
  @Override
  public NestedWalk walk(long gpa) {
    for (KvmMemory.Slot slot : memory.slots()) {
      long offset = gpa - slot.gpa();
      if (offset >= 0 && offset < slot.bytes()) {
        String means =
            String.format(Locale.ROOT, "memslot %d, GPA 0x%x on", slot.number(), slot.gpa());
        return new NestedWalk(gpa, means, List.of(), 0, -1, slot.hva() + offset);
      }
    }
    return new NestedWalk(gpa, "no memslot", List.of(), 0, -1, -1);
  }

  @Override
  public Set<ExitReason> surfacedExits() {
    return exits().surfaced();
  }

  @Override
  public Map<ExitReason, String> unseenExits() {
    return exits().unseen();
  }

  private KvmExits exits() {
    return new KvmExits(
        hypervisor.paravirtual(),
        msrsExit,
        has(KvmAbi.KVM_CAP_EXIT_HYPERCALL),
        faults != null,
        dirty == Dirty.RING,
        irqchip);
  }

  @Override
  public List<Counter> counters() {
    return stats.stream().flatMap(each -> each.read().stream()).toList();
  }

  /** Every vCPU's thread must have left {@code run}. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (haltWatch != null) {
      haltWatch.close();
    }
    timer.close();
    stats.forEach(KvmStats::close);
    dirtyRings.forEach(DirtyRing::close);
    vcpus.forEach(KvmVcpu::close);
    LibC.close(fd);
    if (faults != null) {
      faults.close();
    }
    memory.close();
  }
}
