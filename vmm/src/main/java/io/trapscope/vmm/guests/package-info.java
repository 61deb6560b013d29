/**
 * The bundled guests: what there is, how each boots, and what each must show. Source, binary and
 * the table of the guest {@code exits} are resources beside this package; their README explains
 * them.
 */
package io.trapscope.vmm.guests;
