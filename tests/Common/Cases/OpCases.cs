using System.Reflection;

namespace Fusion.Tests;

/// <summary>All cases, in one table per family of operators, and the functions that make them. <see cref="OpCase"/> tells how to add one.</summary>
internal static partial class OpCases
{
    private static readonly Lazy<OpCase[]> s_all = new(static () =>
    [
        .. typeof(OpCases).GetFields(BindingFlags.Static | BindingFlags.NonPublic)
            .Where(static f => f.FieldType == typeof(OpCase[])).SelectMany(static f => (OpCase[])f.GetValue(null)!),
    ]);

    // Properties: fields of other files may be initialized first.
    private static Shape[][] UnaryShapes => [[[2, 5]], [[]], [[1]], [[0]], [[3, 0, 2]], [[130]], [[2, 3, 4]], [[3, 1, 70]]];

    private static Shape[][] BinaryShapes =>
        [[[2, 5], [2, 5]], [[], []], [[1], [130]], [[0], [1]], [[2, 3], [3]], [[2, 1], [1, 3]], [[], [7]], [[33], []], [[2, 0], [1, 0]], [[4, 1, 20], [3, 1]]];

    private static Shape[][] TernaryShapes =>
        [[[2, 5], [2, 5], [2, 5]], [[], [], []], [[70], [], [70]], [[], [130], [130]], [[2, 1], [1, 3], [3]], [[0], [1], [0]], [[2, 3, 4], [3, 4], []]];

    /// <summary>Every case.</summary>
    public static IReadOnlyList<OpCase> All => s_all.Value;

    public static OpCase Find(string title) => All.Single(c => c.Title == title);

    private static string TitleOf(Op row, string detail) => detail.Length == 0 ? row.Name : $"{row.Name} {detail}";

    /// <summary>Any operator. The detail tells the cases of one row apart; may be empty.</summary>
    private static OpCase Case(Op row, string detail, Func<NDArray[], NDArray> call, Func<RefArray[], RefArray>? reference, Shape[][] shapes) =>
        new(row, TitleOf(row, detail), call, reference) { Shapes = shapes };

    /// <summary>An element-wise function of one variable.</summary>
    private static OpCase Unary(Op row, Func<NDArray, NDArray> call, Func<double, double> reference, Domain domain, string detail = "") =>
        Element(row, detail, x => call(x[0]), v => reference(v[0]), UnaryShapes, [[10_000]]) with { Domains = [domain] };

    /// <summary>An element-wise function of two variables.</summary>
    private static OpCase Binary(
        Op row, Func<NDArray, NDArray, NDArray> call, Func<double, double, double> reference, Domain x, Domain y, string detail = "") =>
        Element(row, detail, a => call(a[0], a[1]), v => reference(v[0], v[1]), BinaryShapes, [[100, 120], [120]]) with
        {
            Domains = [x, y],
            Rejects = [Unfit(() => call(Nd.Ones((2, 3)), Nd.Ones((2, 4))), row.Name, "(2, 3)", "(2, 4)")],
        };

    /// <summary>An element-wise function of three variables.</summary>
    private static OpCase Ternary(
        Op row, Func<NDArray, NDArray, NDArray, NDArray> call, Func<double, double, double, double> reference, params Domain[] domains) =>
        Element(row, "", a => call(a[0], a[1], a[2]), v => reference(v[0], v[1], v[2]), TernaryShapes, [[100, 120], [120], []]) with { Domains = domains };

    /// <summary>A comparison or test: the result is a mask and nothing is differentiable.</summary>
    private static OpCase AsMask(this OpCase test) => test with { Result = ResultTypes.Mask, Order = 0 };

    private static OpCase Element(Op row, string detail, Func<NDArray[], NDArray> call, Func<double[], double> reference, Shape[][] shapes, Shape[] large) =>
        Case(row, detail, call, x => RefArray.Zip(x, reference), shapes) with
        {
            IsElementwise = true,
            Large = large,
            DTypes = ResultTypes.All,
            Result = ResultTypes.Real,
        };

    private static Rejection Unfit(Func<NDArray> call, params string[] says) =>
        Rejection.Of<ShapeException>("shapes that do not broadcast", call, [.. says, "broadcast"]);

    private static Domain Real(double low, double high) => Domain.Real(low, high);

    private static Domain NonZero(double low, double high) => Domain.NonZero(low, high);
}
