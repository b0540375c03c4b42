namespace Fusion.Tests.RandomGraphs;

/// <summary>
/// One step of a <see cref="RandomProgram"/>. Every combination of numbers means something (operands are counted modulo what exists), so that a generator
/// need know nothing of shapes and a shrinker may lower any number.
/// </summary>
/// <param name="Op">Which row of <see cref="ProgramOps"/>.</param>
/// <param name="First">The first operand.</param>
/// <param name="Second">The second operand.</param>
/// <param name="Detail">An axis, a constant, a slice: whatever the operator needs.</param>
public readonly record struct Instruction(int Op, int First, int Second, int Detail);
