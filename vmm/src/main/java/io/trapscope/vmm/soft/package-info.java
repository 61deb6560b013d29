/**
 * The back end {@code soft}: an x86-64 processor in Java.
 *
 * <p>Lives here: {@code SoftHypervisor}, {@code SoftVm}, {@code SoftVcpu}, the modelled VMX
 * controls. {@code decode} turns bytes into blocks of operations, {@code exec} says what each does,
 * {@code cpu} holds the state they act on, {@code mmu} translates addresses, {@code fpu} is x87,
 * MMX and SSE.
 */
package io.trapscope.vmm.soft;
