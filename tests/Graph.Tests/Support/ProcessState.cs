namespace Fusion.Tests;

/// <summary>Tests that set the random state, the register width or the number of threads, or count warnings, run alone, one after the other.</summary>
[CollectionDefinition(nameof(ProcessState), DisableParallelization = true)]
public sealed class ProcessState;
