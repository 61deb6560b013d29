package io.trapscope.vmm.kvm;

import io.trapscope.recorder.event.ExitQualification;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.FaultHandler;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.MemoryLayout;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.function.IntUnaryOperator;

/**
 * Shows each first touch of guest memory by the guest, or by KVM on its behalf, on any host:
 * through userfaultfd. The guest's mapping of RAM begins without pages; an access waits until the
 * thread here has told of it and put the page there.
 *
 * <p>A page that the VMM has written is in the memory file already, and its fault is a "minor" one;
 * any other is "missing". A host before Linux 5.14 tells of missing pages only.
 *
 * <p>Where a guest's local APICs are KVM's and it can be interrupted, KVM may put the vCPU to sleep
 * and have a worker of the kernel bring the page (asynchronous page faults, kvm_setup_async_pf in
 * virt/kvm/async_pf.c). The host names the worker then, not the vCPU, and the worker asks to write
 * whatever the guest wanted: such a fault has no access, and a vCPU only where there is but one.
 */
final class UserFaults implements AutoCloseable {
  private static final int MESSAGES = 64;
  private static final long PAGE = MemoryLayout.PAGE_SIZE;
  private static final int PAGE_SHIFT = 12;

  private final KvmHypervisor hypervisor;
  private final KvmMemory memory;
  private final IntUnaryOperator vcpuOfThread;
  private final int vcpuOfWorkers;
  private final BitSet[] touched;
  private final ByteBuffer messages = LibC.allocate(MESSAGES * UffdAbi.MESSAGE_BYTES);
  private final ByteBuffer range = LibC.allocate(UffdAbi.RANGE_BYTES);
  private final VmExit exit = new VmExit();

  private int fd = -1;
  private int stop = -1;
  private boolean seesMinor;
  private Thread watching;
  private boolean minor; // the fault at hand
  private volatile FaultHandler handler;
  private volatile HypervisorException failure;
  private boolean closed; // guarded by this

  /**
   * Begins to watch all slots.
   *
   * @param vcpuOfThread the vCPU that a thread of the host runs, or -1
   * @param vcpuOfWorkers the vCPU that a fault of any other thread is for; -1 where that is open
   * @throws HypervisorException where the host does not allow it, with what would
   */
  UserFaults(
      KvmHypervisor hypervisor,
      KvmMemory memory,
      IntUnaryOperator vcpuOfThread,
      int vcpuOfWorkers) {
    this.hypervisor = hypervisor;
    this.memory = memory;
    this.vcpuOfThread = vcpuOfThread;
    this.vcpuOfWorkers = vcpuOfWorkers;
    touched = new BitSet[memory.slots().size()];
    try {
      open();
      for (KvmMemory.Slot slot : memory.slots()) {
        touched[slot.number()] = new BitSet((int) (slot.bytes() >> PAGE_SHIFT));
        register(slot);
      }
      stop =
          LibC.check(
              (int) LibC.syscall(UffdAbi.SYS_EVENTFD2, 0, UffdAbi.CLOEXEC_NONBLOCK, 0, 0, 0),
              "eventfd");
    } catch (HypervisorException e) {
      closeFiles();
      throw e;
    }
    watching = new Thread(this::watch, "kvm-faults");
    watching.setDaemon(true);
    watching.start();
  }

  private void open() {
    // What a host offers is told once a descriptor.
    fd = descriptor();
    long offered = handshake(0);
    LibC.close(fd);
    long needed = UffdAbi.UFFD_FEATURE_MISSING_SHMEM | UffdAbi.UFFD_FEATURE_THREAD_ID;
    if ((offered & needed) != needed) {
      fd = -1;
      throw new HypervisorException(
          "this host's userfaultfd cannot watch guest memory: Linux 4.14 is needed");
    }
    seesMinor = (offered & UffdAbi.UFFD_FEATURE_MINOR_SHMEM) != 0;
    fd = descriptor();
    handshake(needed | (seesMinor ? UffdAbi.UFFD_FEATURE_MINOR_SHMEM : 0));
  }

  /**
   * A descriptor to watch memory with.
   *
   * @throws HypervisorException where the host does not allow it, with what would
   */
  static int descriptor() {
    int made = (int) LibC.syscall(UffdAbi.SYS_USERFAULTFD, UffdAbi.CLOEXEC_NONBLOCK, 0, 0, 0, 0);
    if (made == -LibC.EPERM) {
      int device = LibC.open(UffdAbi.DEVICE, LibC.O_RDWR | LibC.O_CLOEXEC);
      if (device >= 0) {
        made = LibC.ioctl(device, UffdAbi.USERFAULTFD_IOC_NEW, UffdAbi.CLOEXEC_NONBLOCK);
        LibC.close(device);
      }
    }
    if (made == -LibC.EPERM) {
      throw new HypervisorException(
          "userfaultfd is not permitted: run as root, or allow it with: sysctl"
              + " vm.unprivileged_userfaultfd=1, or by the permissions of "
              + UffdAbi.DEVICE
              + "; in a container its seccomp profile may forbid it too");
    }
    return LibC.check(made, "userfaultfd");
  }

  private long handshake(long features) {
    ByteBuffer api = LibC.allocate(UffdAbi.API_BYTES);
    api.putLong(UffdAbi.API_API, UffdAbi.UFFD_API).putLong(UffdAbi.API_FEATURES, features);
    hypervisor.ioctl(fd, UffdAbi.UFFDIO_API, LibC.address(api), "UFFDIO_API");
    return api.getLong(UffdAbi.API_FEATURES);
  }

  private void register(KvmMemory.Slot slot) {
    range.putLong(UffdAbi.RANGE_START, slot.hva()).putLong(UffdAbi.RANGE_LENGTH, slot.bytes());
    range.putLong(
        UffdAbi.RANGE_MODE,
        UffdAbi.UFFDIO_REGISTER_MODE_MISSING
            | (seesMinor ? UffdAbi.UFFDIO_REGISTER_MODE_MINOR : 0));
    hypervisor.ioctl(
        fd,
        UffdAbi.UFFDIO_REGISTER,
        LibC.address(range),
        "UFFDIO_REGISTER of slot " + slot.number());
  }

  /** Whether first touches of pages that the VMM has written are told too. */
  boolean seesMinor() {
    return seesMinor;
  }

  /**
   * Sets who is told; null for nobody.
   *
   * @throws HypervisorException where the watching has failed
   */
  void onFault(FaultHandler newHandler) {
    handler = newHandler;
    if (newHandler != null && failure != null) {
      throw failure;
    }
  }

  private void watch() {
    ByteBuffer polled = LibC.allocate(2 * UffdAbi.POLLFD_BYTES);
    polled.putInt(0, fd).putShort(UffdAbi.POLLFD_EVENTS, UffdAbi.POLLIN);
    int second = UffdAbi.POLLFD_BYTES;
    polled.putInt(second, stop).putShort(second + UffdAbi.POLLFD_EVENTS, UffdAbi.POLLIN);
    try {
      while (polled.getShort(second + UffdAbi.POLLFD_RETURNED) == 0) {
        LibC.syscall(UffdAbi.SYS_PPOLL, LibC.address(polled), 2, 0, 0, 0);
        takeMessages();
      }
    } catch (HypervisorException e) {
      failure = e; // a handler that was told has ended the run
    } finally {
      // Whoever still waits in a fault goes on when nobody watches any more.
      closeFiles();
    }
  }

  private void takeMessages() {
    FaultHandler told = handler;
    if (told == null) {
      takeMessages(null);
      return;
    }
    told.telling().lock();
    try {
      takeMessages(told);
    } finally {
      told.telling().unlock();
    }
  }

  private void takeMessages(FaultHandler told) {
    long before = System.nanoTime();
    long bytes = LibC.read(fd, LibC.address(messages), messages.capacity());
    long seen = System.nanoTime();
    for (int at = 0; at < bytes; at += UffdAbi.MESSAGE_BYTES) {
      if ((messages.get(at + UffdAbi.MESSAGE_EVENT) & 0xff) == UffdAbi.UFFD_EVENT_PAGEFAULT) {
        fault(told, at, before, seen);
      }
    }
  }

  private void fault(FaultHandler told, int at, long before, long seen) {
    long flags = messages.getLong(at + UffdAbi.MESSAGE_FLAGS);
    long hva = messages.getLong(at + UffdAbi.MESSAGE_ADDRESS);
    minor = (flags & UffdAbi.UFFD_PAGEFAULT_FLAG_MINOR) != 0;
    boolean write = (flags & UffdAbi.UFFD_PAGEFAULT_FLAG_WRITE) != 0;
    exit.reset();
    exit.reason = ExitReason.EPT_VIOLATION;
    exit.exitNanos = before;
    exit.write = write;
    exit.hva = hva;
    exit.gpa = memory.gpa(hva);
    exit.qualification = write ? ExitQualification.EPT_WRITE : ExitQualification.EPT_READ;
    int vcpu = vcpuOfThread.applyAsInt(messages.getInt(at + UffdAbi.MESSAGE_THREAD));
    exit.captured = VmExit.GPA | VmExit.HVA | (vcpu < 0 ? 0 : VmExit.QUALIFICATION);
    if (told == null) {
      resolve(exit);
    } else {
      told.fault(vcpu < 0 ? vcpuOfWorkers : vcpu, exit, seen);
    }
  }

  /** Puts the page of the fault at hand there; by the watching thread. */
  void resolve(VmExit fault) {
    KvmMemory.Slot slot = memory.slotOf(fault.gpa);
    int page = (int) (fault.gpa - slot.gpa() >>> PAGE_SHIFT);
    fault.firstTouch = !touched[slot.number()].get(page);
    touched[slot.number()].set(page);
    fault.eptPageShift = PAGE_SHIFT;
    fault.captured |= VmExit.FIRST_TOUCH | VmExit.EPT_PAGE;
    range.putLong(UffdAbi.RANGE_START, fault.hva & -PAGE).putLong(UffdAbi.RANGE_LENGTH, PAGE);
    range.putLong(UffdAbi.RANGE_MODE, 0);
    int result = place(minor ? UffdAbi.UFFDIO_CONTINUE : UffdAbi.UFFDIO_ZEROPAGE);
    if (result == -LibC.EEXIST && !minor) {
      result = place(UffdAbi.UFFDIO_CONTINUE); // the VMM has written to it since
    }
    if (result == -LibC.EEXIST) {
      // Somebody else's fault has put it there, and may have been the only one to be woken.
      result = place(UffdAbi.UFFDIO_WAKE);
    }
    LibC.check(result, String.format("backing guest memory at 0x%x", fault.gpa));
  }

  private int place(long request) {
    int result;
    do {
      result = hypervisor.tryIoctl(fd, request, LibC.address(range));
    } while (result == -LibC.EAGAIN);
    return result;
  }

  /** Every vCPU's thread must have left {@code run}. */
  @Override
  public void close() {
    ByteBuffer one = LibC.allocate(8).putLong(0, 1);
    synchronized (this) {
      if (!closed) {
        LibC.write(stop, LibC.address(one), 8);
      }
    }
    Threads.awaitEnd(watching);
  }

  private synchronized void closeFiles() {
    closed = true;
    for (int each : new int[] {fd, stop}) {
      if (each >= 0) {
        LibC.close(each);
      }
    }
  }
}
