package io.trapscope.vmm.kvm;

/**
 * Numbers and layouts of KVM's user-space interface for x86-64. Source, where nothing else is said:
 * {@code include/uapi/linux/kvm.h} and {@code arch/x86/include/uapi/asm/kvm.h} of Linux 6.1; the
 * interface is stable, so later kernels only add to it. Offsets are in bytes from the start of the
 * structure. All fields are little-endian.
 */
final class KvmAbi {
  static final String DEVICE = "/dev/kvm";

  /** The only version of the interface there is (Documentation/virt/kvm/api.rst, section 4.1). */
  static final int API_VERSION = 12;

  // ioctl requests: _IO(KVMIO, n) and friends with KVMIO = 0xAE; the size is part of the number.
  static final long KVM_GET_API_VERSION = 0xAE00;
  static final long KVM_CREATE_VM = 0xAE01;
  static final long KVM_CHECK_EXTENSION = 0xAE03;
  static final long KVM_GET_VCPU_MMAP_SIZE = 0xAE04;
  static final long KVM_GET_SUPPORTED_CPUID = 0xC008AE05L;
  static final long KVM_CREATE_VCPU = 0xAE41;
  static final long KVM_GET_DIRTY_LOG = 0x4010AE42L;
  static final long KVM_RESET_DIRTY_RINGS = 0xAEC7;
  static final long KVM_SET_USER_MEMORY_REGION = 0x4020AE46L;
  static final long KVM_SET_TSS_ADDR = 0xAE47;
  static final long KVM_SET_IDENTITY_MAP_ADDR = 0x4008AE48L;
  static final long KVM_CREATE_IRQCHIP = 0xAE60;
  static final long KVM_IRQ_LINE = 0x4008AE61L;
  static final long KVM_SET_GSI_ROUTING = 0x4008AE6AL;
  static final long KVM_REINJECT_CONTROL = 0xAE71;
  static final long KVM_CREATE_PIT2 = 0x4040AE77L;
  static final long KVM_RUN = 0xAE80;
  static final long KVM_GET_REGS = 0x8090AE81L;
  static final long KVM_SET_REGS = 0x4090AE82L;
  static final long KVM_GET_SREGS = 0x8138AE83L;
  static final long KVM_SET_SREGS = 0x4138AE84L;
  static final long KVM_INTERRUPT = 0x4004AE86L;
  static final long KVM_GET_LAPIC = 0x8400AE8EL;
  static final long KVM_GET_PIT2 = 0x8070AE9FL;
  static final long KVM_GET_IRQCHIP = 0xC208AE62L;
  static final long KVM_GET_MSRS = 0xC008AE88L;
  static final long KVM_SET_MSRS = 0x4008AE89L;
  static final long KVM_GET_FPU = 0x81A0AE8CL;
  static final long KVM_SET_FPU = 0x41A0AE8DL;
  static final long KVM_SET_CPUID2 = 0x4008AE90L;
  static final long KVM_GET_MP_STATE = 0x8004AE98L;
  static final long KVM_NMI = 0xAE9A;
  static final long KVM_SIGNAL_MSI = 0x4020AEA5L;
  static final long KVM_SET_TSC_KHZ = 0xAEA2;
  static final long KVM_GET_TSC_KHZ = 0xAEA3;
  static final long KVM_ENABLE_CAP = 0x4068AEA3L;
  static final long KVM_X86_SET_MSR_FILTER = 0x4188AEC6L;
  static final long KVM_GET_STATS_FD = 0xAECE;
  static final long KVM_PRE_FAULT_MEMORY = 0xC040AED5L;

  // KVM_CAP_*: what KVM_CHECK_EXTENSION is asked for.
  static final int KVM_CAP_IRQCHIP = 0;
  static final int KVM_CAP_USER_MEMORY = 3;
  static final int KVM_CAP_SET_TSS_ADDR = 4;
  static final int KVM_CAP_EXT_CPUID = 7;
  static final int KVM_CAP_NR_VCPUS = 9;
  static final int KVM_CAP_NR_MEMSLOTS = 10;
  static final int KVM_CAP_COALESCED_MMIO = 15;
  static final int KVM_CAP_USER_NMI = 22;
  static final int KVM_CAP_REINJECT_CONTROL = 24;
  static final int KVM_CAP_IRQFD = 32;
  static final int KVM_CAP_IOEVENTFD = 36;
  static final int KVM_CAP_SET_IDENTITY_MAP_ADDR = 37;
  static final int KVM_CAP_PIT2 = 33;
  static final int KVM_CAP_VCPU_EVENTS = 41;
  static final int KVM_CAP_TSC_CONTROL = 60;
  static final int KVM_CAP_GET_TSC_KHZ = 61;
  static final int KVM_CAP_MAX_VCPUS = 66;
  static final int KVM_CAP_SYNC_REGS = 74;
  static final int KVM_CAP_READONLY_MEM = 81;
  static final int KVM_CAP_SPLIT_IRQCHIP = 121;
  static final int KVM_CAP_IMMEDIATE_EXIT = 136;
  static final int KVM_CAP_X86_DISABLE_EXITS = 143;
  static final int KVM_CAP_X86_USER_SPACE_MSR = 188;
  static final int KVM_CAP_X86_MSR_FILTER = 189;
  static final int KVM_CAP_DIRTY_LOG_RING = 192;
  static final int KVM_CAP_EXIT_HYPERCALL = 201;
  static final int KVM_CAP_BINARY_STATS_FD = 203;
  static final int KVM_CAP_DIRTY_LOG_RING_ACQ_REL = 223;

  /** From Linux 6.11. */
  static final int KVM_CAP_PRE_FAULT_MEMORY = 236;

  // KVM_EXIT_*: kvm_run.exit_reason.
  static final int KVM_EXIT_UNKNOWN = 0;
  static final int KVM_EXIT_EXCEPTION = 1;
  static final int KVM_EXIT_IO = 2;
  static final int KVM_EXIT_HYPERCALL = 3;
  static final int KVM_EXIT_DEBUG = 4;
  static final int KVM_EXIT_HLT = 5;
  static final int KVM_EXIT_MMIO = 6;
  static final int KVM_EXIT_IRQ_WINDOW_OPEN = 7;
  static final int KVM_EXIT_SHUTDOWN = 8;
  static final int KVM_EXIT_FAIL_ENTRY = 9;
  static final int KVM_EXIT_INTR = 10;
  static final int KVM_EXIT_SET_TPR = 11;
  static final int KVM_EXIT_INTERNAL_ERROR = 17;
  static final int KVM_EXIT_SYSTEM_EVENT = 24;
  static final int KVM_EXIT_IOAPIC_EOI = 26;
  static final int KVM_EXIT_X86_RDMSR = 29;
  static final int KVM_EXIT_X86_WRMSR = 30;
  static final int KVM_EXIT_DIRTY_RING_FULL = 31;
  static final int KVM_EXIT_X86_BUS_LOCK = 33;
  static final int KVM_EXIT_NOTIFY = 37;

  // struct kvm_run: the page that kernel and user space share, one a vCPU.
  //
  //   0 request_interrupt_window  1 immediate_exit   8 exit_reason
  //  12 ready_for_injection      13 if_flag         14 flags
  //  16 cr8                      24 apic_base       32 the exit's own fields (a union, 256 bytes)
  // 288 kvm_valid_regs          296 kvm_dirty_regs 304 struct kvm_sync_regs
  static final int RUN_REQUEST_INTERRUPT_WINDOW = 0;
  static final int RUN_IMMEDIATE_EXIT = 1;
  static final int RUN_EXIT_REASON = 8;
  static final int RUN_READY_FOR_INTERRUPT_INJECTION = 12;
  static final int RUN_CR8 = 16;
  static final int RUN_VALID_REGS = 288;
  static final int RUN_DIRTY_REGS = 296;
  static final int RUN_SYNC_REGS = 304;

  /** {@code hw.hardware_exit_reason}, of KVM_EXIT_UNKNOWN. */
  static final int HW_EXIT_REASON = 32;

  /** {@code fail_entry.hardware_entry_failure_reason}. */
  static final int FAIL_ENTRY_REASON = 32;

  static final int EX_EXCEPTION = 32;
  static final int EX_ERROR_CODE = 36;

  // struct io: direction u8, size u8, port u16, count u32, data_offset u64 from the start of
  // kvm_run.
  static final int IO_DIRECTION = 32;
  static final int IO_SIZE = 33;
  static final int IO_PORT = 34;
  static final int IO_COUNT = 36;
  static final int IO_DATA_OFFSET = 40;
  static final int KVM_EXIT_IO_OUT = 1;

  // struct mmio: phys_addr u64, data u8[8], len u32, is_write u8.
  static final int MMIO_PHYS_ADDR = 32;
  static final int MMIO_DATA = 40;
  static final int MMIO_LEN = 48;
  static final int MMIO_IS_WRITE = 52;

  // struct hypercall: nr u64, args u64[6], ret u64.
  static final int HYPERCALL_NR = 32;
  static final int HYPERCALL_ARGS = 40;
  static final int HYPERCALL_RET = 88;

  // struct internal: suberror u32, ndata u32, data u64[16]; struct emulation_failure lies over it:
  // flags u64 at 40, insn_size u8, insn_bytes u8[15].
  static final int INTERNAL_SUBERROR = 32;
  static final int INTERNAL_NDATA = 36;
  static final int EMULATION_FAILURE_FLAGS = 40;
  static final int EMULATION_FAILURE_INSN_SIZE = 48;
  static final int EMULATION_FAILURE_INSN_BYTES = 49;
  static final int KVM_INTERNAL_ERROR_EMULATION = 1;
  static final long KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES = 1;

  static final int SYSTEM_EVENT_TYPE = 32;

  /** {@code eoi.vector}, one byte. */
  static final int EOI_VECTOR = 32;

  // struct msr: error u8, pad u8[7], reason u32, index u32, data u64.
  static final int MSR_ERROR = 32;
  static final int MSR_REASON = 40;
  static final int MSR_INDEX = 44;
  static final int MSR_DATA = 48;

  // Bits of kvm_valid_regs, and where struct kvm_sync_regs (asm/kvm.h) has them.
  static final long KVM_SYNC_X86_REGS = 1;
  static final long KVM_SYNC_X86_SREGS = 2;
  static final int SYNC_REGS = RUN_SYNC_REGS;
  static final int SYNC_SREGS = RUN_SYNC_REGS + 144;

  // struct kvm_regs (asm/kvm.h): rax rbx rcx rdx rsi rdi rsp rbp r8..r15 rip rflags, 8 bytes each.
  static final int REGS_BYTES = 144;
  static final int REGS_R8 = 64;
  static final int REGS_RIP = 128;
  static final int REGS_RFLAGS = 136;

  /** Offsets of RAX RCX RDX RBX RSP RBP RSI RDI, in the order of their encoding. */
  private static final int[] LEGACY_REGISTERS = {0, 16, 24, 8, 48, 56, 32, 40};

  // struct kvm_sregs (asm/kvm.h): cs ds es fs gs ss tr ldt (24 bytes each), gdt idt (16 each), then
  // cr0 cr2 cr3 cr4 cr8 efer apic_base and the bitmap of a pending interrupt.
  static final int SREGS_BYTES = 312;
  static final int SREGS_CS = 0;
  static final int SREGS_SS = 120;
  static final int SREGS_TR = 144;
  static final int SREGS_LDT = 168;
  static final int SREGS_GDT = 192;
  static final int SREGS_IDT = 208;
  static final int SREGS_CR0 = 224;
  static final int SREGS_CR2 = 232;
  static final int SREGS_CR3 = 240;
  static final int SREGS_CR4 = 248;
  static final int SREGS_CR8 = 256;
  static final int SREGS_EFER = 264;
  static final int SREGS_APIC_BASE = 272;
  static final int SREGS_INTERRUPT_BITMAP = 280;

  /** Offsets of ES CS SS DS FS GS, in the order of their encoding. */
  private static final int[] SEGMENTS = {48, 0, 120, 24, 72, 96};

  // struct kvm_fpu (asm/kvm.h): fpr u8[8][16], fcw u16, fsw u16, ftwx u8, padding u8, last_opcode
  // u16, last_ip u64, last_dp u64, xmm u8[16][16], mxcsr u32, padding u32.
  static final int FPU_BYTES = 416;
  static final int FPU_REGISTERS = 0;
  static final int FPU_CONTROL = 128;
  static final int FPU_TAGS = 132;
  static final int FPU_OPCODE = 134;
  static final int FPU_XMM = 152;
  static final int FPU_MXCSR = 408;

  // struct kvm_segment: base u64, limit u32, selector u16, then a byte each.
  static final int SEGMENT_BASE = 0;
  static final int SEGMENT_LIMIT = 8;
  static final int SEGMENT_SELECTOR = 12;
  static final int SEGMENT_TYPE = 14;
  static final int SEGMENT_PRESENT = 15;
  static final int SEGMENT_DPL = 16;
  static final int SEGMENT_DB = 17;
  static final int SEGMENT_S = 18;
  static final int SEGMENT_L = 19;
  static final int SEGMENT_G = 20;
  static final int SEGMENT_AVL = 21;
  static final int SEGMENT_UNUSABLE = 22;

  // struct kvm_dtable: base u64, limit u16.
  static final int DTABLE_BASE = 0;
  static final int DTABLE_LIMIT = 8;

  // struct kvm_userspace_memory_region: slot u32, flags u32, guest_phys_addr, memory_size,
  // userspace_addr.
  static final int MEMORY_REGION_BYTES = 32;
  static final int MEMORY_REGION_SLOT = 0;
  static final int MEMORY_REGION_FLAGS = 4;
  static final int MEMORY_REGION_GPA = 8;
  static final int MEMORY_REGION_SIZE = 16;
  static final int MEMORY_REGION_HVA = 24;

  /** Flag of a region: KVM notes which of its pages are written. */
  static final int KVM_MEM_LOG_DIRTY_PAGES = 1;

  // struct kvm_dirty_log: slot u32, padding u32, pointer to a bitmap, a bit a page.
  static final int DIRTY_LOG_BYTES = 16;
  static final int DIRTY_LOG_SLOT = 0;
  static final int DIRTY_LOG_BITMAP = 8;

  // struct kvm_dirty_gfn: flags u32, slot u32, offset u64 in pages; a ring of them a vCPU.
  static final int DIRTY_GFN_BYTES = 16;
  static final int DIRTY_GFN_SLOT = 4;
  static final int DIRTY_GFN_OFFSET = 8;
  static final int KVM_DIRTY_GFN_F_DIRTY = 1;
  static final int KVM_DIRTY_GFN_F_RESET = 2;

  /** Page of a vCPU's mapping at which its ring begins, on x86. */
  static final int KVM_DIRTY_LOG_PAGE_OFFSET = 64;

  // struct kvm_lapic_state; struct kvm_pit_state2, of which channel 0 comes first; struct
  // kvm_irqchip: the chip's number, and from byte 8 on its registers (asm/kvm.h).
  static final int LAPIC_BYTES = 1024;
  static final int PIT_BYTES = 112;
  static final int PIT_COUNT = 0;
  static final int PIT_MODE = 13;
  static final int PIT_LOADED = 16;
  static final int IRQCHIP_BYTES = 520;
  static final int IRQCHIP_PIC_MASK = 8 + 2;
  static final int IRQCHIP_IOAPIC_PINS = 8 + 24;

  // struct kvm_pre_fault_memory: gpa u64, size u64, flags u64, padding u64[5]. KVM moves gpa and
  // size past what it has done.
  static final int PRE_FAULT_BYTES = 64;
  static final int PRE_FAULT_GPA = 0;
  static final int PRE_FAULT_SIZE = 8;

  // struct kvm_irq_level: irq u32, level u32.
  static final int IRQ_LEVEL_BYTES = 8;
  static final int IRQ_LEVEL_LEVEL = 4;

  // struct kvm_irq_routing: nr u32, flags u32, then entries of 48 bytes: gsi u32, type u32, flags
  // u32, padding u32, and for an input of an interrupt controller: irqchip u32, pin u32; for a
  // message: address u64, data u32.
  static final int ROUTING_HEADER = 8;
  static final int ROUTING_ENTRY = 48;
  static final int ROUTING_GSI = 0;
  static final int ROUTING_TYPE = 4;
  static final int ROUTING_IRQCHIP = 16;
  static final int ROUTING_PIN = 20;
  static final int ROUTING_ADDRESS = 16;
  static final int ROUTING_DATA = 24;
  static final int KVM_IRQ_ROUTING_IRQCHIP = 1;
  static final int KVM_IRQ_ROUTING_MSI = 2;
  static final int KVM_IRQCHIP_PIC_MASTER = 0;
  static final int KVM_IRQCHIP_PIC_SLAVE = 1;
  static final int KVM_IRQCHIP_IOAPIC = 2;

  // struct kvm_msi: address u64, data u32, flags u32, then nothing that x86 uses.
  static final int MSI_BYTES = 32;
  static final int MSI_DATA = 8;

  // struct kvm_pit_config: flags u32, padding. The flag gives KVM port 0x61 too.
  static final int PIT_CONFIG_BYTES = 64;
  static final int KVM_PIT_SPEAKER_DUMMY = 1;

  /** struct kvm_reinject_control: pit_reinject u8, reserved. */
  static final int REINJECT_CONTROL_BYTES = 32;

  // struct kvm_mp_state: mp_state u32.
  static final int KVM_MP_STATE_UNINITIALIZED = 1;
  static final int KVM_MP_STATE_INIT_RECEIVED = 2;
  static final int KVM_MP_STATE_HALTED = 3;

  // struct kvm_enable_cap: cap u32, flags u32, args u64[4], pad.
  static final int ENABLE_CAP_BYTES = 104;
  static final int ENABLE_CAP_CAP = 0;
  static final int ENABLE_CAP_ARG0 = 8;

  // struct kvm_cpuid2: nent u32, padding u32, then entries of 40 bytes: function, index, flags,
  // eax, ebx, ecx, edx, padding u32[3].
  static final int CPUID2_HEADER = 8;
  static final int CPUID2_ENTRY = 40;
  static final int CPUID_FUNCTION = 0;
  static final int CPUID_INDEX = 4;
  static final int CPUID_EAX = 12;
  static final int CPUID_EBX = 16;
  static final int CPUID_ECX = 20;
  static final int CPUID_EDX = 24;

  // struct kvm_msrs: nmsrs u32, pad u32, then index u32, reserved u32, data u64.
  static final int MSRS_HEADER = 8;
  static final int MSRS_ENTRY = 16;
  static final int MSRS_ONE_BYTES = MSRS_HEADER + MSRS_ENTRY;
  static final int MSRS_INDEX = 8;
  static final int MSRS_DATA = 16;

  // KVM_CAP_X86_USER_SPACE_MSR: which accesses come to user space; also kvm_run.msr.reason.
  static final int KVM_MSR_EXIT_REASON_INVAL = 1;
  static final int KVM_MSR_EXIT_REASON_UNKNOWN = 2;
  static final int KVM_MSR_EXIT_REASON_FILTER = 4;

  // struct kvm_msr_filter: flags u32, padding u32, 16 ranges of 24 bytes (flags u32, nmsrs u32,
  // base u32, padding u32, pointer to a bitmap where 1 allows).
  static final int MSR_FILTER_BYTES = 392;
  static final int MSR_FILTER_FLAGS = 0;
  static final int MSR_FILTER_RANGES = 8;
  static final int MSR_RANGE_FLAGS = 0;
  static final int MSR_RANGE_COUNT = 4;
  static final int MSR_RANGE_BASE = 8;
  static final int MSR_RANGE_BITMAP = 16;
  static final int KVM_MSR_FILTER_DEFAULT_DENY = 1;
  static final int KVM_MSR_FILTER_READ_WRITE = 3;

  // struct kvm_stats_header: flags u32, name_size u32, num_desc u32, id_offset u32, desc_offset
  // u32, data_offset u32.
  static final int STATS_HEADER_BYTES = 24;
  static final int STATS_NAME_SIZE = 4;
  static final int STATS_COUNT = 8;
  static final int STATS_DESC_OFFSET = 16;
  static final int STATS_DATA_OFFSET = 20;

  // struct kvm_stats_desc: flags u32 (type in bits 3:0, unit 7:4, base 11:8), exponent s16, size
  // u16
  // in values, offset u32 into the values, bucket_size u32, name.
  static final int STATS_DESC_EXPONENT = 4;
  static final int STATS_DESC_SIZE = 6;
  static final int STATS_DESC_DATA = 8;
  static final int STATS_DESC_BUCKET = 12;
  static final int STATS_DESC_NAME = 16;
  static final int STATS_UNIT_SHIFT = 4;
  static final int STATS_BASE_SHIFT = 8;
  static final int STATS_FIELD_MASK = 15;

  private KvmAbi() {}

  /** Where {@code struct kvm_regs} has the general register with this encoding, 0 to 15. */
  static int registerOffset(int encoding) {
    return encoding < 8 ? LEGACY_REGISTERS[encoding] : REGS_R8 + 8 * (encoding - 8);
  }

  /** Where {@code struct kvm_sregs} has the segment register with this encoding, 0 to 5. */
  static int segmentOffset(int encoding) {
    return SEGMENTS[encoding];
  }
}
