package io.trapscope.cli;

import io.trapscope.vmm.boot.BootSource;

/**
 * A guest that was asked for, its files read.
 *
 * @param name short, for messages and directory names
 * @param boot what the machine boots
 * @param images what it is made of
 * @param bundled whether it came with Trapscope: a small program that reads no console input
 */
record GuestChoice(String name, BootSource boot, GuestImages images, boolean bundled) {}
