/** Address translation: modelled host-physical memory, EPT tables in it, and the software TLB. */
package io.trapscope.vmm.soft.mmu;
