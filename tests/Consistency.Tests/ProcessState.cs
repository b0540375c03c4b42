namespace Fusion.Tests;

/// <summary>Tests that set the register width, the number of threads or the random state run alone, one after the other.</summary>
[CollectionDefinition(nameof(ProcessState), DisableParallelization = true)]
public sealed class ProcessState;
