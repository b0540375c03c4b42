using System.Text;

namespace Fusion.Tests;

/// <summary>The page docs/dtypes.md: its tables are what the library answers.</summary>
public static class DTypePage
{
    private static readonly DType[] s_types = Enum.GetValues<DType>();

    private static readonly double[] s_numbers = [1, 0.5, -1, 300, 5e9, double.NaN];

    /// <summary>Functions of arrays of ones that share a rule.</summary>
    private static readonly (string Name, Func<NDArray, NDArray> Call)[][] s_families =
    [
        [("-x", static x => -x), ("Abs", Nd.Abs), ("Sign", Nd.Sign), ("Square", Nd.Square), ("Relu", Nd.Relu), ("Mod", static x => x % x),
            ("FloorDivide", static x => x.FloorDivide(x))],
        [("Floor", Nd.Floor), ("Ceiling", Nd.Ceiling), ("Round", Nd.Round), ("Truncate", Nd.Truncate)],
        [
            ("Divide", static x => x / x), ("Exp", Nd.Exp), ("Log", Nd.Log), ("Sqrt", Nd.Sqrt), ("Sin", Nd.Sin), ("Tanh", Nd.Tanh), ("Erf", Nd.Erf),
            ("Sigmoid", Nd.Sigmoid),
            ("Gelu", static x => Nd.Gelu(x)), ("Pow", static x => Nd.Pow(x, x)), ("Atan2", static x => Nd.Atan2(x, x)), ("Hypot", static x => Nd.Hypot(x, x)),
        ],
        [
            ("Less", static x => x < 0), ("Equal", static x => Nd.Equal(x, x)), ("IsNaN", Nd.IsNaN), ("IsFinite", Nd.IsFinite),
            ("LogicalAnd", static x => Nd.LogicalAnd(x, x)),
            ("LogicalNot", Nd.LogicalNot), ("Any", static x => Nd.Any(x)), ("All", static x => Nd.All(x)), ("IsClose", static x => Nd.IsClose(x, x)),
        ],
        [("BitwiseAnd", static x => Nd.BitwiseAnd(x, x)), ("BitwiseOr", static x => Nd.BitwiseOr(x, x)), ("BitwiseXor", static x => Nd.BitwiseXor(x, x))],
        [("ShiftLeft", static x => Nd.ShiftLeft(x, x)), ("ShiftRight", static x => Nd.ShiftRight(x, x))],
        [("Sum", static x => Nd.Sum(x)), ("CumSum", static x => Nd.CumSum(x)), ("Prod", static x => Nd.Prod(x))],
        [
            ("Mean", static x => Nd.Mean(x)), ("Var", static x => Nd.Var(x)), ("Std", static x => Nd.Std(x)), ("LogSumExp", static x => Nd.LogSumExp(x)),
            ("Quantile", static x => Nd.Quantile(x, 0.5)), ("Median", static x => Nd.Median(x)),
        ],
        [
            ("ArgMax", static x => Nd.ArgMax(x)), ("ArgMin", static x => Nd.ArgMin(x)), ("ArgSort", static x => Nd.ArgSort(x)), ("NonZero", Nd.NonZero),
            ("CountNonZero", static x => Nd.CountNonZero(x)),
        ],
        [("MatMul", static x => Nd.MatMul(x, x)), ("Dot", static x => Nd.Dot(x, x)),
            ("BatchDot", static x => Nd.BatchDot(x[AxisIndex.NewAxis], x[AxisIndex.NewAxis])), ("Einsum", static x => Nd.Einsum("ij,jk", x, x)),
            ("FullyConnected", static x => Nd.FullyConnected(x, x)), ("Conv1D", static x => Nd.Conv1D(x[AxisIndex.NewAxis], x[AxisIndex.NewAxis]))],
        [("Softmax", static x => Nd.Softmax(x)), ("LogSoftmax", static x => Nd.LogSoftmax(x)), ("LayerNorm", static x => Nd.LayerNorm(x)),
            ("RmsNorm", static x => Nd.RmsNorm(x)), ("ScaledDotProductAttention", static x => Nd.ScaledDotProductAttention(x, x, x))],
        [("Det", Nd.Det), ("Qr", static x => Nd.Qr(x).R), ("Svd", static x => Nd.Svd(x).S), ("Solve", static x => Nd.Solve(x + Nd.Eye(2, Elements.RealType(x.DType)), x))],
        [
            ("Max", static x => Nd.Max(x)), ("Min", static x => Nd.Min(x)), ("Sort", static x => Nd.Sort(x)), ("Unique", Nd.Unique),
            ("TopK", static x => Nd.TopK(x, 1).Values),
            ("Take", static x => Nd.Take(x, Nd.Array([0]))), ("Where", static x => Nd.Where(x > 0, x, x)), ("Concat", static x => Nd.Concat([x, x])),
            ("Transpose", static x => Nd.Transpose(x)), ("Slice", static x => Nd.Slice(x, 0, 1, 2)), ("Pad", static x => Nd.Pad(x, [(0, 0), (1, 1)])),
            ("Copy", static x => x.Copy()),
        ],
        [("OneHot", static x => Nd.OneHot(x, 2))],
    ];

    private const string Introduction =
        """
        # Element types

        <!-- The tables are generated: see tests/Repository.Tests/DTypePageTests.cs. Do not edit. -->

        | type | C# | bytes | gradient | what it is for |
        |---|---|---|---|---|
        | Float32 | `float` | 4 | yes | the default of everything that is created without a type |
        | Float64 | `double` | 8 | yes | double precision in every operator, also compiled |
        | Int32 | `int` | 4 | no | counts, indices, labels |
        | Int64 | `long` | 8 | no | positions (`ArgMax`, `ArgSort`), sums of integers |
        | UInt8 | `byte` | 1 | no | images, files |
        | Bool | `bool` | 1 | no | masks, results of comparisons |
        | Float16 | `Half` | 2 | yes | storage: 11 significant bits, at most 65504 |
        | BFloat16 | `BFloat16` | 2 | yes | storage: 8 significant bits, the range of Float32 |

        `x.AsType(dtype)` converts: to an integer toward zero,
        what is out of range to the nearest number in range and NaN to 0; between integers by their low bits;
        to Bool,
        true where the element is not 0; to a floating-point type to the nearest number, in one rounding. Between floating-point types it is differentiable.

        ```csharp
        using Fusion;

        NDArray counts = Nd.Array([1, 2, 4]);
        Console.WriteLine((counts * 2).DType);                       // → Int32
        Console.WriteLine((counts * 0.5).DType);                     // → Float32
        Console.WriteLine((counts / 2).DType);                       // → Float32
        Console.WriteLine(counts.Sum().DType);                       // → Int64
        Console.WriteLine((counts + Nd.Ones(3, DType.Float64)).DType);   // → Float64
        ```

        ## Half precision

        Float16 and BFloat16 are types to store numbers in. An operator computes with them in Float32 and rounds its result once, and so do the functions that are
        composed of several (`Mean`, `Var`, `Norm`, the losses, attention): a sum of many squares need not fit into a Float16. Gradients have the type of their array
        and are computed in the same way; the tape keeps operands in two bytes. An optimizer makes its step in Float32, with Float32 moments, and rounds the
        parameter at the end. In compiled functions kernels read and write the two bytes and round in registers: one launch, and the eager bits.

        A C# number takes part in arithmetic as a Float32, so that an ε of 1e-8 does not vanish; where it is compared, or is itself the result
        (`x == 0.1`, `Maximum`, `Clip`, `Where`), it is rounded to the array's type first. An integer array beside one of half precision becomes Float32 for the
        operator. Random numbers are those of Float32 after the same seed, rounded. Safetensors files hold both types, NumPy's only Float16.

        ## Two arrays

        `x + y`, `x * y`,
        `Maximum(x, y)` and the other arithmetic of two arrays first bring both to one type. A floating-point type wins over every integer type, whatever
        their sizes: Int64 with Float32 is Float32,
        as in PyTorch and MXNet (NumPy gives Float64). Comparisons promote in the same way and answer Bool. `x / y` and the functions of
        real numbers do the same, then make Float32 of integers.


        """;

    private const string Numbers =
        """

        ## An array and a C# number

        The number is weak: the array keeps its type unless the value does not fit. A fraction, NaN or an infinity makes Float32 of integers,
        a whole number outside the type the
        next integer type that holds it. Bool counts as Int32 in arithmetic.


        """;

    private const string Functions =
        """

        ## Functions of one array

        The functions of a line share a rule. – stands for a `DTypeException` that names the remedy, `AsType`.


        """;

    /// <summary>The text of the page.</summary>
    public static string Write()
    {
        StringBuilder page = new(Introduction);
        Table(page, "x + y", s_types.Select(static t => t.ToString()),
            s_types.Select(static x => (x.ToString(), s_types.Select(y => Answer(() => Ones(x) + Ones(y))))));
        page.Append(Numbers);
        Table(page, "x + number", s_numbers.Select(static n => FormattableString.Invariant($"`{n}`")),
            s_types.Select(static x => (x.ToString(), s_numbers.Select(n => Answer(() => Ones(x) + n)))));
        page.Append(Functions);
        Table(page, "function", s_types.Select(static t => t.ToString()),
            s_families.Select(static f => (string.Join(", ", f.Select(static m => $"`{m.Name}`")), s_types.Select(x => Answers(f, x)))));
        return page.ToString();
    }

    private static NDArray Ones(DType dtype) => Nd.Ones((2, 2), dtype);

    private static string Answer(Func<NDArray> call)
    {
        try
        {
            return call().DType.ToString();
        }
        catch (DTypeException)
        {
            return "–";
        }
    }

    // One answer where the members of a family agree; a page with several does not pass its test.
    private static string Answers((string Name, Func<NDArray, NDArray> Call)[] family, DType dtype)
    {
        (string Name, string Answer)[] all = [.. family.Select(f => (f.Name, Answer(() => f.Call(Ones(dtype)))))];
        return all.All(a => a.Answer == all[0].Answer) ? all[0].Answer : string.Join(" / ", all.Select(static a => $"{a.Name} {a.Answer}"));
    }

    private static void Table(StringBuilder page, string corner, IEnumerable<string> columns, IEnumerable<(string Name, IEnumerable<string> Cells)> rows)
    {
        string[] head = [corner, .. columns];
        page.Append("| ").AppendJoin(" | ", head).Append(" |\n|").Insert(page.Length, "---|", head.Length).Append('\n');
        foreach ((string name, IEnumerable<string> cells) in rows) page.Append("| ").AppendJoin(" | ", [name, .. cells]).Append(" |\n");
    }
}
