namespace Fusion.Tests;

/// <summary>
/// One test row of the operator table: a public call and what is expected of it. From a row the suite tests values against the reference in every
/// element type, shape and layout, special values, the same bits in every execution mode, gradients to order 2 with the same bits compiled, and
/// rejected arguments. Every row of <c>OpTable</c> needs at least one.
/// </summary>
/// <remarks>
/// To add one, write an expression into a table of the operator's family, <c>OpCases.*.cs</c>, or into a new file with a field of type
/// <c>OpCase[]</c> in the class <see cref="OpCases"/>; nothing else is edited. (What tables of several files share must be a property: the order in
/// which fields of a partial class are initialized is not defined.) An element-wise row needs the call, a formula and its domain:
/// <code>Unary(OpTable.Exp, Nd.Exp, Math.Exp, Real(-20, 20))</code>
/// Any other row needs the call, the reference on <see cref="RefArray"/> and the shapes of its inputs, one list per set of inputs, of which the first
/// is also used in all layouts and for gradients (keep it below 30 elements):
/// <code>Case(OpTable.Softmax, "", x => Nd.Softmax(x[0]), x => x[0].Lines(Softmax), [[[3, 5]], [[2, 0]]]) with { Rejects = [ … ] }</code>
/// Where the defaults do not fit, change a property in the <c>with</c> expression.
/// </remarks>
/// <param name="Row">The row of the operator table that is under test.</param>
/// <param name="Title">Names the case in test results; unique.</param>
/// <param name="Call">The public call.</param>
/// <param name="Reference">The same in double precision, independent of the library's formulas; null for random numbers.</param>
internal sealed record OpCase(Op Row, string Title, Func<NDArray[], NDArray> Call, Func<RefArray[], RefArray>? Reference)
{
    /// <summary>Sets of input shapes, one shape per input; the first is the main one.</summary>
    public required Shape[][] Shapes { get; init; }

    /// <summary>A set of inputs that is large enough to be shared among threads; empty: none.</summary>
    public Shape[] Large { get; init; } = [];

    /// <summary>Where input values come from, so that the operator is defined and differentiable; the last one repeats.</summary>
    public Domain[] Domains { get; init; } = [Domain.Real(-2, 2)];

    /// <summary>The element types of inputs whose domain does not fix one.</summary>
    public DType[] DTypes { get; init; } = ResultTypes.Floats;

    /// <summary>The element type of the result, from that of the inputs.</summary>
    public Func<DType, DType> Result { get; init; } = ResultTypes.Same;

    /// <summary>The error that is allowed, in units of the element type's ε, relative to the expected value.</summary>
    public double Ulps { get; init; } = 4;

    /// <summary>The same for Float64, where the reference has errors of its own.</summary>
    public double Ulps64 { get; init; } = 8;

    /// <summary>Expected values below this are compared absolutely; for sums, about the sum of the magnitudes.</summary>
    public double Scale { get; init; }

    /// <summary>Of inputs one by one: has lengths, broadcasting and special values in common with all element-wise operators.</summary>
    public bool IsElementwise { get; init; }

    /// <summary>The reference holds for NaN, infinities, −0 and denormal numbers, too.</summary>
    public bool ReferenceIsTotal { get; init; } = true;

    /// <summary>Element-wise only: inputs, then the result, compared with its sign.</summary>
    public double[][] Special { get; init; } = [];

    /// <summary>Element-wise only: inputs, then the derivative with respect to each input. For kinks, ties, and limits.</summary>
    public double[][] Slopes { get; init; } = [];

    /// <summary>How often the result is differentiated; 0 where it cannot be.</summary>
    public int Order { get; init; } = 2;

    /// <summary>The gradient is zero by definition, whatever finite differences say.</summary>
    public bool ZeroGradient { get; init; }

    /// <summary>Inputs that may be null.</summary>
    public int[] Optional { get; init; } = [];

    /// <summary>Calls that must be refused.</summary>
    public Rejection[] Rejects { get; init; } = [];

    /// <summary>What else holds for the result; the answer to a failure, or null.</summary>
    public Func<NDArray, string?>? Property { get; init; }

    public Domain DomainOf(int input) => Domains[Math.Min(input, Domains.Length - 1)];

    public int InputCount => Shapes[0].Length;

    public override string ToString() => Title;
}
