package io.trapscope.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.elements.GivenClassesConjunction;

/** The rules of ARCHITECTURE.md, "Dependencies point one way". */
@AnalyzeClasses(packages = "io.trapscope", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule recorderKnowsNoOtherModule =
      inPackage("io.trapscope.recorder..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.trapscope.vmm..",
              "io.trapscope.replay..",
              "io.trapscope.analyzer..",
              "io.trapscope.cli..");

  @ArchTest
  static final ArchRule vmmKnowsOnlyEvents =
      inPackage("io.trapscope.vmm..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.trapscope.recorder.trace..",
              "io.trapscope.replay..",
              "io.trapscope.analyzer..",
              "io.trapscope.cli..");

  @ArchTest
  static final ArchRule replayKnowsNoAnalysis =
      noClasses()
          .that()
          .resideInAPackage("io.trapscope.replay..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.trapscope.analyzer..", "io.trapscope.cli..")
          .allowEmptyShould(true);

  @ArchTest
  static final ArchRule analyzerKnowsOnlyTheRecorder =
      inPackage("io.trapscope.analyzer..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.trapscope.vmm..", "io.trapscope.replay..", "io.trapscope.cli..");

  @ArchTest
  static final ArchRule eventsKnowNoFilesAndNoQueues =
      inPackage("io.trapscope.recorder.event..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.trapscope.recorder.trace..", "java.nio.file..");

  @ArchTest
  static final ArchRule devicesNeverSeeAVcpu =
      inPackage("io.trapscope.vmm.device..")
          .should()
          .dependOnClassesThat()
          .haveNameMatching("io\\.trapscope\\.vmm\\.hypervisor\\.(Vcpu|Vm|VmExit|Hypervisor)");

  @ArchTest
  static final ArchRule nobodyUsesChronicle =
      inPackage("io.trapscope..").should().dependOnClassesThat().resideInAPackage("net.openhft..");

  @ArchTest
  static final ArchRule onlyTheHostPackageUsesJna =
      only("io.trapscope.vmm.host..", "com.sun.jna..");

  @ArchTest
  static final ArchRule onlyArrowPackageUsesArrow =
      only("io.trapscope.analyzer.arrow..", "org.apache.arrow..");

  @ArchTest
  static final ArchRule onlyParquetPackageUsesParquet =
      only("io.trapscope.analyzer.parquet..", "org.apache.parquet..");

  @ArchTest static final ArchRule onlyCliUsesPicocli = only("io.trapscope.cli..", "picocli..");

  @ArchTest
  static final ArchRule nobodyUsesUnsafe =
      inPackage("io.trapscope..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("sun.misc.Unsafe");

  private static GivenClassesConjunction inPackage(String name) {
    return noClasses().that().resideInAPackage(name);
  }

  private static ArchRule only(String user, String library) {
    return noClasses()
        .that()
        .resideOutsideOfPackage(user)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library);
  }
}
