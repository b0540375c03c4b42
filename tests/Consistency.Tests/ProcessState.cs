namespace Fusion.Tests;

/// <summary>Tests that change what the whole process shares (register width, thread count, random numbers) run alone, one after the other.</summary>
[CollectionDefinition(nameof(ProcessState), DisableParallelization = true)]
public sealed class ProcessState;
