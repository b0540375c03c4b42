using System.Collections.Concurrent;

namespace Fusion.Kernels;

/// <summary>The row kernels of the library as programs of their own: one of <see cref="RowFormulas"/> each, with its operands in order.</summary>
internal static class RowPrograms
{
    private static readonly ConcurrentDictionary<(string Name, bool Is64, int Flags), RowSpec> s_programs = new();

    /// <summary>Inputs: x.</summary>
    public static RowSpec Softmax(bool is64) => Get(nameof(Softmax), is64, 0, static (p, _) => RowFormulas.Softmax(p, p.Elements()));

    /// <summary>Inputs: x.</summary>
    public static RowSpec LogSoftmax(bool is64) => Get(nameof(LogSoftmax), is64, 0, static (p, _) => RowFormulas.LogSoftmax(p, p.Elements()));

    /// <summary>Inputs: the softmax y, g.</summary>
    public static RowSpec SoftmaxGradient(bool is64) =>
        Get(nameof(SoftmaxGradient), is64, 0, static (p, _) => RowFormulas.SoftmaxGradient(p, p.Elements(), p.Elements()));

    /// <summary>Inputs: the log-softmax y, g.</summary>
    public static RowSpec LogSoftmaxGradient(bool is64) =>
        Get(nameof(LogSoftmaxGradient), is64, 0, static (p, _) => RowFormulas.LogSoftmaxGradient(p, p.Elements(), p.Elements()));

    /// <summary>Inputs: logits x, labels. The output has one element a row.</summary>
    public static RowSpec CrossEntropy(bool is64) =>
        Get(nameof(CrossEntropy), is64, 0, static (p, _) => RowFormulas.CrossEntropy(p, p.Elements(), p.Label()));

    /// <summary>Inputs: logits x, labels, g, one a row.</summary>
    public static RowSpec CrossEntropyGradient(bool is64) =>
        Get(nameof(CrossEntropyGradient), is64, 0, static (p, _) => RowFormulas.CrossEntropyGradient(p, p.Elements(), p.Label(), p.PerRow()));

    /// <summary>Inputs: x, gamma and beta as asked for, both one a column, ε.</summary>
    public static RowSpec Normalize(bool is64, bool centered, bool gamma, bool beta) =>
        Get(nameof(Normalize), is64, Flags(centered, gamma, beta), static (p, flags) =>
        {
            RowValue x = p.Elements();
            RowValue? gamma = (flags & 2) != 0 ? p.Elements() : null, beta = (flags & 4) != 0 ? p.Elements() : null;
            return RowFormulas.Normalize(p, x, gamma, beta, p.Number(), (flags & 1) != 0);
        });

    /// <summary>Inputs: x, g, gamma if asked for, one a column, ε.</summary>
    public static RowSpec NormalizeGradient(bool is64, bool centered, bool gamma) =>
        Get(nameof(NormalizeGradient), is64, Flags(centered, gamma, false), static (p, flags) =>
        {
            RowValue x = p.Elements(), g = p.Elements();
            RowValue? gamma = (flags & 2) != 0 ? p.Elements() : null;
            return RowFormulas.NormalizeGradient(p, x, g, gamma, p.Number(), (flags & 1) != 0);
        });

    /// <summary>Inputs: x, g, ε. Output: g·x̂, whose sum over the rows is the gradient of gamma.</summary>
    public static RowSpec NormalizeProduct(bool is64, bool centered) => Get(nameof(NormalizeProduct), is64, Flags(centered, false, false), static (p, flags) =>
    {
        RowValue x = p.Elements(), g = p.Elements();
        return g * RowFormulas.Standardized(p, x, p.Number(), (flags & 1) != 0).Value;
    });

    private static int Flags(bool centered, bool gamma, bool beta) => (centered ? 1 : 0) | (gamma ? 2 : 0) | (beta ? 4 : 0);

    private static RowSpec Get(string name, bool is64, int flags, Func<RowSpecBuilder, int, RowValue> write)
    {
        if (s_programs.TryGetValue((name, is64, flags), out RowSpec? known)) return known;
        RowSpecBuilder builder = new(is64);
        builder.Output(write(builder, flags));
        return s_programs.GetOrAdd((name, is64, flags), builder.Build());
    }
}
