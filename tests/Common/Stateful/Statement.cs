namespace Fusion.Tests.Stateful;

/// <summary>One step of a <see cref="StatefulProgram"/>: every combination of numbers means something.</summary>
/// <param name="Name">A row of <see cref="StatefulOps"/>, or a scope over the statements that follow.</param>
/// <param name="First">The first operand, counted modulo what exists; negative: from the end.</param>
/// <param name="Second">The second operand.</param>
/// <param name="Detail">An axis, a constant, a flag, the length of a scope.</param>
internal readonly record struct Statement(string Name, int First, int Second, int Detail);
