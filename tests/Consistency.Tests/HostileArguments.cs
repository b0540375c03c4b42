using System.Reflection;

namespace Fusion.Tests;

/// <summary>Arguments by type and name of a parameter, most of them small and possible, some at the ends of what their type holds.</summary>
internal sealed class HostileArguments
{
    private static readonly int[][] s_shapes =
        [[], [1], [0], [3], [0, 3], [3, 0], [2, 3], [3, 3], [1, 3], [3, 1], [2, 3, 4], [2, 0, 4], [1, 1, 4, 4], [2, 2, 5, 5], [0, 2, 4, 4], [2, 2, 3, 3, 3], [70]];

    private static readonly int[] s_numbers = [int.MinValue, int.MinValue + 1, -7, -3, -2, -1, 0, 1, 2, 3, 4, 7];
    private static readonly double[] s_reals = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0, -0.0, 1e308, 1e-320, 1, -1, 0.5, 2, 3.5, -2.5];
    private static readonly string[] s_equations = ["ij,jk->ik", "ij->ji", "ii->i", "i,j->ij", string.Empty, "->", "ij,ij", "...i->...", "ij", ",", "ij->ijj", "ij->k", "é,é", "ij->i->j"];

    private readonly Random _random;
    private readonly int[] _shape;
    private readonly DType _dtype;

    public HostileArguments(int seed)
    {
        _random = new Random(seed);
        _shape = Pick(s_shapes);
        _dtype = Chance(0.5) ? DType.Float32 : Pick(Enum.GetValues<DType>());
    }

    /// <summary>Whether every parameter of a method can be given something.</summary>
    public static bool Knows(MethodInfo method) => Array.TrueForAll(method.GetParameters(), static p => !p.ParameterType.IsByRefLike
        && (Nullable.GetUnderlyingType(p.ParameterType) ?? p.ParameterType) is { } type
        && (type.IsEnum || type.IsArray || type == typeof(NDArray) || type == typeof(IReadOnlyList<NDArray>) || type == typeof(int) || type == typeof(long)
            || type == typeof(double) || type == typeof(bool) || type == typeof(string) || type == typeof(Shape) || type == typeof(Device) || type == typeof(Padding)
            || type == typeof((int, int)) || type == typeof((int, int, int)) || type == typeof((int, int, int, int))));

    public object? For(ParameterInfo parameter)
    {
        if (parameter.HasDefaultValue && Chance(0.5)) return Default(parameter);
        bool optional = new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;
        return optional && Chance(0.4) ? null : Value(Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType, parameter.Name!);
    }

    private static object? Default(ParameterInfo parameter) => parameter.RawDefaultValue switch
    {
        null or DBNull => parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null,
        var value => parameter.ParameterType.IsEnum ? Enum.ToObject(parameter.ParameterType, value) : value,
    };

    private object? Value(Type type, string name)
    {
        if (type == typeof(NDArray)) return Chance(0.02) ? null : Draw(name);
        if (type == typeof(IReadOnlyList<NDArray>)) return Chance(0.05) ? null : Enumerable.Range(0, _random.Next(4)).Select(_ => Chance(0.03) ? null! : Draw(name)).ToArray();
        if (type == typeof(int)) return Number(name);
        if (type == typeof(long)) return (long)Number(name);
        if (type == typeof(double)) return Chance(0.5) ? Math.Round(_random.NextDouble() * 4 - 1, 2) : Pick(s_reals);
        if (type == typeof(bool)) return Chance(0.5);
        if (type == typeof(string)) return Chance(0.05) ? null : Pick(s_equations);
        if (type == typeof(Shape)) return (Shape)(Chance(0.5) ? Pick(s_shapes) : [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => _random.Next(4))]);
        if (type == typeof(Device)) return Device.Cpu;
        if (type == typeof(Padding)) return Chance(0.7) ? (Padding)_random.Next(4) : Chance(0.5) ? Padding.Same : Padding.Pairs((_random.Next(3), _random.Next(3)), (_random.Next(3), 0));
        if (type == typeof(int[])) return Chance(0.04) ? null : Enumerable.Range(0, _random.Next(4)).Select(_ => Number("axis")).ToArray();
        if (type == typeof(double[])) return Chance(0.04) ? null : Enumerable.Range(0, _random.Next(4)).Select(_ => Chance(0.8) ? Math.Round(_random.NextDouble(), 2) : Pick(s_reals)).ToArray();
        if (type == typeof((int, int)[])) return Chance(0.04) ? null : Enumerable.Range(0, Chance(0.8) ? _shape.Length : 2).Select(_ => (_random.Next(3), _random.Next(-1, 3))).ToArray();
        if (type == typeof((int, int))) return (Number(name), Number(name));
        if (type == typeof((int, int, int))) return (Number(name), Number(name), Number(name));
        if (type == typeof((int, int, int, int))) return (Number(name), Number(name), Number(name), Number(name));
        return Chance(0.9) ? Pick([.. Enum.GetValues(type).Cast<object>()]) : Enum.ToObject(type, Pick([-1, 99]));
    }

    private int Number(string name) => Chance(0.85) ? _random.Next(-3, 5) : Pick(s_numbers);

    private NDArray Draw(string name)
    {
        bool isIndex = name is "indices" or "labels" or "lengths" or "labelLengths" or "logitLengths" || (name is "target" && Chance(0.4));
        int[] shape = Chance(0.6) ? _shape : Pick(s_shapes);
        if (_shape.Length > 0 && Chance(0.2)) shape = isIndex ? [_shape[0]] : _shape[1..];
        DType dtype = isIndex && Chance(0.8) ? (Chance(0.5) ? DType.Int32 : DType.Int64) : Chance(0.8) ? _dtype : Pick(Enum.GetValues<DType>());
        bool special = !isIndex && dtype.IsFloat && Chance(0.2);
        double[] values = [.. Enumerable.Range(0, shape.Aggregate(1, static (a, b) => a * b)).Select(_ => special ? Pick(s_reals)
            : isIndex ? (Chance(0.95) ? _random.Next(3) : Pick(s_numbers)) : dtype.IsFloat ? Math.Round(_random.NextDouble() * 4 - 2, 3) : _random.Next(3))];
        NDArray x = Nd.Array(values, shape).AsType(dtype);
        return shape.Length == 0 || Chance(0.6) ? x : Layout.All[_random.Next(Layout.All.Count)].Apply(x);
    }

    private bool Chance(double p) => _random.NextDouble() < p;

    private T Pick<T>(T[] list) => list[_random.Next(list.Length)];
}
