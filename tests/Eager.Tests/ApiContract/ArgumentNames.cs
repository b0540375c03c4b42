using System.Reflection;

namespace Fusion.Tests.ApiContract;

/// <summary>Every function says which of its arguments is null, and which function has no such axis: by the names that its caller wrote.</summary>
public sealed class ArgumentNames
{
    private static readonly NDArray s_x = Nd.Linspace(0.1, 0.9, 16).Reshape(4, 4);
    private static readonly NDArray s_positions = Nd.Array([0, 1, 2, 3]);

    private static IEnumerable<(MethodInfo Function, ParameterInfo Parameter)> Parameters =>
        from type in new[] { typeof(Nd), typeof(Nd.Random), typeof(NN.Loss) }
        from function in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        let all = function.GetParameters()
        where !function.IsGenericMethod && !all.Any(static p => p.ParameterType.IsByRef || p.ParameterType.IsByRefLike || p.ParameterType.IsAssignableTo(typeof(Delegate)))
        from parameter in all
        select (function, parameter);

    [Fact]
    public void ANullArrayIsNamed()
    {
        List<string> wrong = [];
        foreach ((MethodInfo function, ParameterInfo parameter) in Parameters)
        {
            bool isOptional = parameter is { HasDefaultValue: true, DefaultValue: null };
            if (parameter.ParameterType != typeof(NDArray) || isOptional) continue;
            Exception? e = Call(function, parameter, null);

            // Where what is given beside it does not fit either, that may be found first.
            if (e is ShapeException or DTypeException) continue;
            if (e is not ArgumentNullException n || n.ParamName != parameter.Name) wrong.Add($"{function.Name}, {parameter.Name}: {e?.Message}");
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void AnAxisOutsideNamesTheFunction()
    {
        List<string> wrong = [];
        foreach ((MethodInfo function, ParameterInfo parameter) in Parameters)
        {
            object? axis = parameter.Name switch
            {
                "axis" or "axis1" or "axis2" or "source" or "destination" => 7,
                "axes" when parameter.ParameterType == typeof(int[]) => new[] { 7 },
                _ => null,
            };
            if (axis is null || (function.Name == "Transpose" && parameter.Name == "axes")) continue;
            Exception? e = Call(function, parameter, axis);
            if (e is not ArgumentOutOfRangeException || !e.Message.StartsWith($"{function.Name}: axis 7", StringComparison.Ordinal))
                wrong.Add($"{function.Name}, {parameter.Name}: {e?.Message}");
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void ComposedFunctionsNameThemselves()
    {
        NDArray scalar = Nd.Scalar(1);
        int[] twice = [0, 0];
        (string Name, Action Call)[] calls =
        [
            ("LayerNorm", () => scalar.LayerNorm()), ("RmsNorm", () => scalar.RmsNorm()), ("BitwiseNot", () => s_x.BitwiseNot()), ("Mean", () => s_x.Mean(twice)),
            ("Var", () => s_x.Var(twice)), ("LogSumExp", () => s_x.LogSumExp(twice)), ("Std", () => s_x.Std(twice)), ("Norm", () => s_x.Norm(twice)),
        ];
        foreach ((string name, Action call) in calls) Assert.StartsWith($"{name}: ", Assert.ThrowsAny<ArgumentException>(call).Message, StringComparison.Ordinal);
    }

    private static Exception? Call(MethodInfo function, ParameterInfo parameter, object? value)
    {
        object?[] arguments = [.. function.GetParameters().Select(p => p.Position == parameter.Position ? value : Usual(function, p))];
        return Record.Exception(() => function.Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null));
    }

    private static object? Usual(MethodInfo function, ParameterInfo p)
    {
        if (p.ParameterType == typeof(NDArray)) return Array(function.Name, p.Name!);
        if (p is { HasDefaultValue: true, DefaultValue: { } given }) return given;
        if (p.HasDefaultValue) return p.ParameterType.IsValueType ? Activator.CreateInstance(p.ParameterType) : null;
        if (p.ParameterType == typeof(int)) return 1;
        if (p.ParameterType == typeof(double)) return 1.0;
        if (p.ParameterType == typeof(int[])) return new[] { 1 };
        if (p.ParameterType == typeof(Shape)) return s_x.Shape;
        if (p.ParameterType == typeof(IReadOnlyList<NDArray>)) return new[] { s_x, s_x };
        return p.ParameterType.IsValueType ? Activator.CreateInstance(p.ParameterType) : null;
    }

    private static NDArray Array(string function, string name) => name switch
    {
        "indices" when function is "Pick" or "IndexAdd" or "IndexUpdate" or "IndexReduce" or "Embedding" => s_positions,
        "indices" => s_positions.BroadcastTo(s_x.Shape),
        "lengths" => s_positions,
        "mask" => s_x > 0.5,
        _ => s_x,
    };
}
