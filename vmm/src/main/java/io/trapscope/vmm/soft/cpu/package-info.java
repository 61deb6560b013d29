/**
 * State of one processor and the access to it that instruction handlers use: registers, flags,
 * memory, segments, events.
 *
 * <p>{@code Cpu} is split by concern over a short chain of superclasses, so that each file is about
 * one thing while a handler reaches everything with one field load. Does not live here: what any
 * instruction does ({@code exec}, {@code fpu}).
 */
package io.trapscope.vmm.soft.cpu;
