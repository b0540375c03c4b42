using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Fusion.NN;

namespace Fusion.Tests;

/// <summary>
/// Every public function and loss with arguments that nobody would write: it refuses them by an exception that is documented, or it gives what it gives while recording and
/// compiled; and what it fails with eagerly it fails with compiled. <c>FUSION_SOAK=1000</c> makes a thousand calls of each overload.
/// </summary>
public class HostileArgumentTests
{
    private static readonly int s_calls = int.TryParse(Environment.GetEnvironmentVariable("FUSION_SOAK"), out int calls) ? calls : 12;

    private static readonly ILookup<string, MethodInfo> s_functions = new[] { typeof(Nd), typeof(Loss) }.SelectMany(static t => t.GetMethods(BindingFlags.Public | BindingFlags.Static))
        .Where(static m => !m.IsGenericMethod && Returns(m.ReturnType) && HostileArguments.Knows(m)).ToLookup(static m => m.Name);

    private static readonly ILookup<string, MethodInfo> s_draws = typeof(Nd.Random).GetMethods(BindingFlags.Public | BindingFlags.Static)
        .Where(static m => Returns(m.ReturnType) && HostileArguments.Knows(m)).ToLookup(static m => m.Name);

    public static TheoryData<string> Draws => [.. s_draws.Select(static g => g.Key).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Functions => [.. s_functions.Select(static g => g.Key).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Functions))]
    public void ItIsRefusedOrTheSameInEveryMode(string name)
    {
        foreach (MethodInfo method in s_functions[name])
        {
            ParameterInfo[] parameters = method.GetParameters();
            Func<object?[], object> function = Compile(method);
            for (int seed = 0; seed < s_calls; seed++)
            {
                HostileArguments source = new(seed * 31 + parameters.Length);
                object?[] arguments = [.. parameters.Select(source.For)];
                NDArray[] arrays = [.. arguments.SelectMany(static a => a is NDArray x ? [x] : a as NDArray[] ?? []).Where(static x => x is not null).Distinct()];
                NDArray[] before = Array.ConvertAll(arrays, static x => x.Copy());
                NDArray[] Call(NDArray[] inputs) => Arrays(function(Array.ConvertAll(arguments, a => Replaced(a, arrays, inputs))));

                Outcome eager = Outcome.Of(() => Call(arrays));
                Assert.True(eager.IsDocumented, $"{name}, {seed}: {eager}");
                Assert.True(eager.Names(name), $"{name}, {seed}, of another function: {eager}");
                Assert.True(Bits.Difference(before, arrays) is null, $"{name}, {seed}: an argument was written to");
                Outcome recorded = Outcome.Of(() => WithGradients(Call, arrays));
                Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> traced = x => Call([.. x]);
                HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> hybrid = traced.Hybridize();
                string? plain = eager.Differs(Outcome.Of(() => [.. hybrid.Invoke(arrays)]));
                Assert.True(plain is null, $"{name}, {seed}, compiled: {plain}");
                string? gradients = recorded.Differs(Outcome.Of(() => WithGradients(x => [.. hybrid.Invoke(x)], arrays)));
                Assert.True(gradients is null, $"{name}, {seed}, compiled with gradients: {gradients}");
            }
        }
    }

    /// <summary>Random numbers differ from call to call; what they refuse does not.</summary>
    [Theory]
    [MemberData(nameof(Draws))]
    public void WhatADrawRefusesNamesIt(string name)
    {
        foreach (MethodInfo method in s_draws[name])
        {
            ParameterInfo[] parameters = method.GetParameters();
            Func<object?[], object> function = Compile(method);
            for (int seed = 0; seed < s_calls; seed++)
            {
                HostileArguments source = new(seed * 31 + parameters.Length);
                object?[] arguments = [.. parameters.Select(source.For)];
                Outcome eager = Outcome.Of(() => Arrays(function(arguments)));
                Assert.True(eager.IsDocumented, $"{name}, {seed}: {eager}");
                Assert.True(eager.Names("Random." + name), $"{name}, {seed}, of another function: {eager}");
            }
        }
    }

    private static bool Returns(Type type) => type == typeof(NDArray) || type == typeof(NDArray[])
        || (type.IsAssignableTo(typeof(ITuple)) && Array.TrueForAll(type.GetGenericArguments(), static t => t == typeof(NDArray)));

    private static Func<object?[], object> Compile(MethodInfo method)
    {
        ParameterExpression arguments = Expression.Parameter(typeof(object[]));
        Expression call = Expression.Call(method, method.GetParameters().Select((p, i) => Expression.Convert(Expression.ArrayIndex(arguments, Expression.Constant(i)), p.ParameterType)));
        return Expression.Lambda<Func<object?[], object>>(Expression.Convert(call, typeof(object)), arguments).Compile();
    }

    private static NDArray[] Arrays(object result) => result switch
    {
        NDArray x => [x],
        NDArray[] list => list,
        _ => [.. Enumerable.Range(0, ((ITuple)result).Length).Select(i => (NDArray)((ITuple)result)[i]!)],
    };

    private static object? Replaced(object? argument, NDArray[] from, NDArray[] to) => argument switch
    {
        NDArray x => to[Array.IndexOf(from, x)],
        NDArray[] list => Array.ConvertAll(list, x => x is null ? null! : to[Array.IndexOf(from, x)]),
        _ => argument,
    };

    // Results, and gradients where there are some; functions whose results no variable reaches have none eagerly, and zeros compiled.
    private static NDArray[] WithGradients(ArrayFunction f, NDArray[] arrays)
    {
        NDArray[] inputs = Array.ConvertAll(arrays, static x => x.Detach()), variables = [.. inputs.Where(static x => x.DType.IsFloat)];
        foreach (NDArray variable in variables) variable.AttachGrad();
        NDArray[] results;
        using (Autograd.Record(trainMode: false)) results = f(inputs);
        NDArray[] heads = [.. results.Where(static x => x.DType.IsFloat && x.Source is not null)];
        if (heads.Length == 0 || variables.Length == 0) return results;
        NDArray[] gradients = Autograd.Grad(heads, variables, allowUnused: true);
        return [.. results, .. gradients.Where(static g => g.Size > 0 && !g.ArrayEqual(g.ZerosLike()))];
    }

    private sealed record Outcome(NDArray[]? Results, Exception? Error)
    {
        public bool IsDocumented => Error switch
        {
            null or AutogradException or LinearAlgebraException or ObjectDisposedException or InsufficientMemoryException => true,
            ArgumentException e => e.Message.Length > 0,
            _ => false,
        };

        /// <summary>A message begins with the function that was called, not with one that it is made of; some speak of an argument alone, some of the factorization that failed.</summary>
        public bool Names(string function) => Error is null or ArgumentNullException or ObjectDisposedException or InsufficientMemoryException or LinearAlgebraException
            || Error.Message.StartsWith($"{function}: ", StringComparison.Ordinal) || Error.Message.Contains("is not an element type", StringComparison.Ordinal);

        public static Outcome Of(Func<NDArray[]> call)
        {
            try
            {
                return new(call(), null);
            }
            catch (Exception e) when (e is not Xunit.Sdk.IAssertionException)
            {
                return new(null, e);
            }
        }

        public string? Differs(Outcome other) => (Results, other.Results) switch
        {
            ({ } x, { } y) => Bits.Difference(x, y),
            (null, null) => Error!.GetType() == other.Error!.GetType() && Error.Message == other.Error.Message ? null : $"{Error.Message} – {other.Error.Message}",
            _ => $"{this} – {other}",
        };

        public override string ToString() => Error is null ? "no error" : $"{Error.GetType().Name}: {Error.Message}";
    }
}
