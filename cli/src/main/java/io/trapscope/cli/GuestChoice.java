package io.trapscope.cli;

import io.trapscope.recorder.trace.TraceHeader.Image;
import io.trapscope.vmm.boot.BootSource;
import java.util.List;

/**
 * A guest that was asked for, its files read.
 *
 * @param name short, for messages and directory names
 * @param boot what the machine boots
 * @param images what it is made of, by content
 * @param bundled whether it came with Trapscope: a small program that reads no console input
 */
record GuestChoice(String name, BootSource boot, List<Image> images, boolean bundled) {}
