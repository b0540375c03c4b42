using System.Diagnostics;

namespace Fusion;

/// <summary>
/// Compiles functions of arrays: the first call traces the operators, fuses them and compiles forward and backward; later calls with inputs of the
/// same types run the compiled code. The results have the same bits as eager execution.
/// </summary>
/// <remarks>
/// To watch the compiler: <c>FUSION_DUMP</c>, a folder or <c>-</c> for the standard output, has it write every function as traced, simplified, cut and
/// grouped; the <see cref="System.Diagnostics.ActivitySource"/> and the <see cref="System.Diagnostics.Metrics.Meter"/> named <c>Fusion.Graph</c> tell of
/// traces, misses, compilations and runs; <c>FUSION_TRACE_LINES=1</c> puts source lines into <c>ToCSharp()</c>.
/// <para>
/// Gradients of gradients that are taken outside of a compiled function put its operators on the tape, where values inside it are seen; to have every
/// order compiled, hybridize the function that takes the gradient.
/// </para>
/// </remarks>
public static partial class Hybrid
{
    /// <summary>Hybridizes a function of a list of arrays that returns a list of arrays.</summary>
    public static HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> Hybridize(
        this Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        return FromList(f, options, NameOf(f));
    }

    /// <summary>Hybridizes a function without inputs that returns a list of arrays.</summary>
    public static HybridFunction<Func<IReadOnlyList<NDArray>>> Hybridize(this Func<IReadOnlyList<NDArray>> f, HybridOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        HybridEngine engine = new(_ => f(), options ?? new HybridOptions(), NameOf(f));
        return new HybridFunction<Func<IReadOnlyList<NDArray>>>(engine, () => engine.Invoke([]));
    }

    /// <summary>
    /// A compiled function from a tape that was recorded eagerly: a function of <paramref name="inputs"/>, in that order, computing
    /// <paramref name="head"/>; other leaves are captured by reference.
    /// </summary>
    /// <exception cref="HybridizeException">The head was not recorded or does not depend on an input, or the tape holds a custom function.</exception>
    public static HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> FromTape(NDArray head, params ReadOnlySpan<NDArray> inputs)
    {
        ArgumentNullException.ThrowIfNull(head);
        return FromList(TapeLift.Lift(head, inputs), null, "a lifted tape");
    }

    private static HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> FromList(
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, HybridOptions? options, string name)
    {
        HybridEngine engine = new(f, options ?? new HybridOptions(), name);
        return new HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>>(engine, inputs =>
        {
            ArgumentNullException.ThrowIfNull(inputs);
            return engine.Invoke([.. inputs]);
        });
    }

    // The compiler names lambdas <Outer>b__0_1 and local functions <Outer>g__Name|0_1.
    private static string NameOf(Delegate f)
    {
        if (DiagnosticMethodInfo.Create(f) is not { } method) return "a function";
        string name = method.Name;
        if (!name.StartsWith('<')) return name;
        int local = name.IndexOf(">g__", StringComparison.Ordinal);
        if (local > 0) return name[(local + 4)..name.IndexOf('|', StringComparison.Ordinal)];
        string outer = name.TrimStart('<'); // that of a program without a class is <Main>$
        return $"a function in {method.DeclaringTypeName?.Split('+')[0]}.{outer[..outer.IndexOf('>', StringComparison.Ordinal)]}";
    }
}
