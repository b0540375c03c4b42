namespace Fusion.Tests;

/// <summary>Tests that change or measure what the whole process shares (memory, the stream of random numbers) run alone, one after the other.</summary>
[CollectionDefinition(nameof(ProcessState), DisableParallelization = true)]
public sealed class ProcessState;
