namespace Fusion;

/// <summary>A place in the stream of random numbers: the seed, and how many blocks of the generator have been used.</summary>
internal readonly record struct RandomState(ulong Seed, ulong Block);
