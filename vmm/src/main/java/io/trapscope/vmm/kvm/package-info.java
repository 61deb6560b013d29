/**
 * The {@code kvm} back end: Linux KVM through {@code /dev/kvm}.
 *
 * <p>Lives here: {@code KvmHypervisor}, {@code KvmVm}, {@code KvmVcpu}, every number and layout of
 * {@code linux/kvm.h} ({@code KvmAbi}), and {@code KvmProbe}, which says whether any of it can work
 * on this host. Does not live here: how Java makes a system call ({@code vmm.host}), a device, the
 * loop, or anything that knows what a guest's port or address means.
 *
 * <p>Design note: the exit decoder, the register mapping and the probe take buffers and paths, not
 * the host's, so that their tests need no {@code /dev/kvm}.
 */
package io.trapscope.vmm.kvm;
