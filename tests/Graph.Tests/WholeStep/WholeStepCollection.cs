namespace Fusion.Tests;

/// <summary>Tests that compare the random state of the process, alone with it.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class WholeStepCollection
{
    public const string Name = "Whole steps";
}
