using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

/// <summary>One operator with its parameters settled, as a call of either side and as the source text of these calls.</summary>
internal sealed record Step(Func<NDArray[], NDArray> Ours, Func<Tensor[], Tensor> Theirs, string OursText, string TheirsText)
{
    /// <summary>The error that is allowed, in units of the usual one.</summary>
    public double Slack { get; init; } = 1;

    /// <summary>Whether both sides must agree on integers or floating-point numbers as the result. Rows of the table of operators are compared by value.</summary>
    public bool IsTyped { get; init; } = true;

    /// <summary>Whether LibTorch differentiates it once only. It ends the process where it cannot.</summary>
    public bool IsOnce { get; init; }

    /// <summary>A step from two lambdas of <c>x</c>; <paramref name="parameters"/> is an anonymous object of the variables that they capture.</summary>
    public static Step Of(Func<NDArray[], NDArray> ours, Func<Tensor[], Tensor> theirs, object? parameters = null,
        [CallerArgumentExpression(nameof(ours))] string oursText = "", [CallerArgumentExpression(nameof(theirs))] string theirsText = "") =>
        new(ours, theirs, Written(oursText, parameters), Written(theirsText, parameters));

    /// <summary>The text of a call on named operands.</summary>
    public static string Call(string text, IEnumerable<string> operands)
    {
        string[] names = [.. operands];
        return Regex.Replace(text, @"\bx\[(\d)\]", m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) is var i && i < names.Length ? names[i] : m.Value);
    }

    private static string Written(string lambda, object? parameters)
    {
        string body = Regex.Replace(lambda, @"^\s*(static\s+)?x\s*=>\s*", string.Empty);
        foreach (var property in parameters?.GetType().GetProperties() ?? [])
            body = Regex.Replace(body, $@"(?<![.\w]){property.Name}\b", Literal(property.GetValue(parameters)).Replace("$", "$$", StringComparison.Ordinal));
        return body;
    }

    private static string Literal(object? value) => value switch
    {
        bool b => b ? "true" : "false",
        string s => $"\"{s}\"",
        DType d => $"DType.{d}",
        PadMode m => $"PadMode.{m}",
        Shape s => $"(Shape)[{string.Join(", ", s.Dimensions.ToArray())}]",
        int[] a => $"new int[] {{ {string.Join(", ", a)} }}",
        (int Before, int After)[] a => $"new[] {{ {string.Join(", ", a)} }}",
        NDArray { DType: DType.Bool } a => $"Nd.Array<bool>([{string.Join(", ", a.ToArray<bool>().Select(static b => b ? "true" : "false"))}]).Reshape({Literal(a.Shape)})",
        NDArray a => $"Nd.Array<{(a.DType.IsFloat ? "double" : "long")}>([{Numbers(a)}]).Reshape({Literal(a.Shape)}).AsType(DType.{a.DType})",
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => $"{value}",
    };

    /// <summary>The elements of an array, each with all its digits.</summary>
    public static string Numbers(NDArray x) =>
        string.Join(", ", x.AsType(DType.Float64).ToArray<double>().Select(static v => v.ToString("R", CultureInfo.InvariantCulture)));
}
