/**
 * Floating-point and vector state and instructions of the software processor: x87, MMX and SSE.
 *
 * <p>{@code SoftFloat} is the arithmetic on finite numbers and the one place that rounds; {@code
 * ExtFloat} and {@code SseFloat} add the rules of the two instruction sets on top (special values,
 * NaN choice, exception precedence). The handlers on top of these move operands and write flags
 * back. Does not live here: decoding, addressing, paging.
 */
package io.trapscope.vmm.soft.fpu;
