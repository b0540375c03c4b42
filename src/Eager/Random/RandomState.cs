namespace Fusion;

/// <summary>A place in the stream of random numbers; two numbers that may be stored anywhere.</summary>
/// <param name="Seed">Which stream: what <see cref="Nd.Random.Seed"/> was given.</param>
/// <param name="Block">How many blocks of the generator have been used since its beginning.</param>
public readonly record struct RandomState(ulong Seed, ulong Block);
