/** x87, MMX and SSE: their state, and the handlers that {@code FpuTable} registers. */
package io.trapscope.vmm.soft.fpu;
