/**
 * Root of the recorder: {@code event} is the schema, {@code trace} the files, {@code capture} what
 * the kernel saw.
 */
package io.trapscope.recorder;
